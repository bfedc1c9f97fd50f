"""English: what decisions, promises, open questions and dates sound like."""

from __future__ import annotations

from meetings.gateways.extraction.cues import Calendar, Cue, Cues

_STOPWORDS = """
a about above across actually after again ago ah all almost already also although always am an and another any anybody
anyone anything anyway are aren't around as ask asked at away back basically be because been before being below between
bit both but by bye came can can't cannot certainly cetera come comes coming could couldn't course day days definitely
did didn't different do does doesn't doing don't done down each eight either else end enough er erm especially et even
ever every everybody everyone everything exactly example fact far few fine first five for four from further gave get
gets getting give given gives giving go goes going gonna good got great guess guy guys had happen happened happens
hasn't have haven't having he he'd he'll he's hello her here hers hi him himself his hm hmm hour how however huh i i'd
i'll i'm i've idea if important in indeed instead into is isn't it it'd it'll it's its itself just keep kind kinda know
last least less let let's like little ll look looking looks lot lots made mainly make makes making many matter may maybe
me mean means meeting might mm mm-hmm mhm minute minutes more morning most mostly much must my myself need needs never
new next nice nine no nobody none nope nor not nothing now obviously of off oh ok okay old on once one ones only onto
or other others ought our ours out over own part particular people perhaps person place please point pretty probably
put quite rather re really right said same saw say saying says second see seem seems seen seven shall she she's should
shouldn't since six so some somebody somehow someone something sometimes somewhere soon sorry sort start still stuff
such sure take takes taking talk talked talking tell ten than thank thanks that that'll that's the their theirs them
themselves then there there's therefore these they they'd they'll they're they've thing things think thinking this those
though thought three through time times to today together told tomorrow too took toward towards tried try trying two uh
um under until up upon us use used very want wanted wants was wasn't way ways we we'd we'll we're we've week weeks well
went were weren't what what's whatever when where whether which while who who's whole whom whose why will wish with
within without won't wonder word words work would wouldn't wow yeah year years yep yes yesterday yet you you'd you'll
you're you've your yours yourself absolutely alright anymore okey presentation today's mm hmm welcome chair minister
month months
hon sir madam eleven twelve twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion cause
going gotta wanna wouldn't haven't hadn't let's whether able possible possibly big small good better best long clear
absolutely honourable member members mr
"""

_DETERMINERS = "a an the our my your his her their its this that these those some each every no"

_DOING = (
    r"(?:add|address|announce|apply|arrange|ask(?! again)|assign|attend|book|bring|build|buy|call|cancel|change"
    r"|check|chase|"
    r"circulate|clean|clarify|collect|compare|compile|complete|confirm|contact|convene|coordinate|copy|correct|create|"
    r"cut|deal with|deliver|deploy|design|discuss (?:it|this|that) with|distribute|document|draft|draw up|e-?mail|"
    r"escalate|explore|file|fill in|finali[sz]e|find out|find|finish|fix|follow up|forward|get back to|get in touch|"
    r"handle|hand over|hire|implement|improve|inform|install|introduce|investigate|invite|invoice|"
    r"let (?:you|them|him|her|everyone|\w+) know|look (?:in ?to|after|up)|make sure|measure|"
    r"meet (?:with )?(?!again)\w+|merge|message|monitor|move(?! on| forward| to| back| into)|negotiate"
    r"|note down|notify|open|order|organi[sz]e|pay|phone|"
    r"pick up|plan|post|prepare|present|print|produce|provide|publish|purchase|put (?:together|it|that|them)"
    r"|raise|read up|"
    r"recruit|register|remove|rename|repair|replace|reply|report|request|research|reserve|resolve|respond|review|"
    r"revise|ring|run|schedule|scan|search|sell|send|set up|share|ship|sign|solve|sort out|speak (?:to|with)"
    r"|submit|summari[sz]e|"
    r"take care of|take (?:it|this|that) (?:on|up)|talk (?:to|with)|tell|test|train|translate|type up|update|upload|"
    r"upgrade|verify|visit|work (?:on|out|with)|write(?: (?:up|down))?)\b"
)
_SOON = r"(?:also |then |now |just |quickly |probably |certainly |definitely |please |personally |both |all )*"

ENGLISH = Cues(
    code="en",
    stopwords=frozenset(_STOPWORDS.split()),
    determiners=frozenset(_DETERMINERS.split()),
    fillers=r"(?:um+|uh+|er+m?|ah|oh|hm+|mm+(?:-hmm)?|well|so|yeah|yes|okay|ok|right|alright|now|and|but|like|"
    r"you know|i mean|good|great|sure|anyway|basically|actually|i think|i guess)",
    doing=_DOING,
    decisions=(
        Cue(
            r"\bwe(?:'ve| have)?(?: all| now| just| also)* (?:agreed|decided|concluded|resolved|settled on|chosen)\b", 3
        ),
        Cue(
            r"\b(?:it is|it's|it was|that's|that is|has been|have been|is|was) (?:now )?(?:agreed|decided|settled)\b",
            2.5,
        ),
        Cue(r"\b(?:the|our|final|my) (?:final )?decision (?:is|was|has been|stands)\b", 3),
        Cue(
            r"\b(?:motion|amendment|proposal|resolution|budget|minutes) (?:(?:is|was|are|were|has been|have been) )?"
            r"(?:carried|adopted|agreed(?: to)?|approved|passed|defeated|rejected|withdrawn)\b",
            3,
        ),
        Cue(r"\bwe (?:hereby )?(?:approve|adopt|reject)\b|\b(?:agreed|approved) unanimously\b", 2.5),
        Cue(
            r"\b(?:let's|let us|we(?:'ll| will|'re going to| are going to| should|'re gonna)) (?:just )?"
            r"(?:go (?:with|for|ahead with)|stick (?:with|to)|settle (?:on|for)|keep it at)\b",
            2.2,
        ),
        Cue(
            r"\bwe(?:'re| are) (?:gonna|going to) (?:just |basically |now )*(?:focus on|use|drop|keep"
            r"|stay with)\b",
            1.6,
        ),
        Cue(r"\bwe(?:'re| are) going (?:with|for|ahead with)\b", 2.2),
        Cue(r"\bwe(?:'re| are) (?:not|no longer) going to\b|\bwe won't\b|\bwe will not\b", 1.5),
        Cue(
            r"\b(?:so|then|therefore|okay|right),? (?:we(?:'ll| will| are going to|'re going to)|it(?:'ll| will) be) "
            r"(?:be )?(?:hav(?:e|ing)(?! to\b)|us(?:e|ing)|keep|mak(?:e|ing)|tak(?:e|ing)|drop|skip|start|open"
            r"|launch|do(?:ing)?|"
            r"not|only|put|leave|stay|move|remove|add)\b",
            1.8,
        ),
        Cue(
            r"\bwe(?:'ll| will) (?:use|keep|drop|skip|postpone|launch|cancel|choose|stay|leave (?:it|that|them)|"
            r"focus on|make it|have (?:two|three|no|only))\b",
            1.5,
        ),
        Cue(
            r"\b(?:let's|let us) (?:use|keep|make it|take|drop|skip|say|leave (?:it|that)|forget|postpone"
            r"|move (?:it|that|the)|"
            r"put|not|choose|add|remove|open|close|launch|limit)\b",
            1.5,
        ),
        Cue(
            r"\b(?:everyone|everybody) agrees?\b|(?<!will )\bwe all agreed? (?:to|on)\b|\bwe(?:'re"
            r"| are) (?:all )?agreed\b|\bthere (?:is|was) consensus\b",
            2,
        ),
        Cue(r"\bi(?:'ve| have) decided\b|\bi hereby\b", 1.8),
    ),
    not_decisions=r"^(?:do|does|did|have|has|can|could|should|shall|would|will|are|is|was|if|when|what|how|why"
    r"|which|who) (?!let's)|"
    r"\bfor you (?:guys )?to\b|'s gonna\b|"
    r"\b(?:if|whether|when|once|until|unless|before|should|could|can|must|might|may|to|not|n't|haven't|"
    r"never|who|what|(?:have|did|do|does) (?:we|you|they)|what's) (?:we |you |they |you've |we've |have "
    r"|we have |it is |it was "
    r"|been |yet )*"
    r"(?:agreed?|decided?|decide|settled?|conclude|resolved?)\b|\bnot (?:yet )?(?:agreed|decided|settled)\b|"
    r"\b(?:let's|let us) (?:see|take a look|say (?:you|i|that you)|start|begin|move on|go (?:on|back|to))\b|"
    r"\b(?:tell|show|read|walk) you\b|\bwe(?:'ll| will) (?:(?:be )?hav(?:e|ing) (?:a|an|the|some|another"
    r"|more) (?:\w+ ){0,2}?(?:look|chance|minutes?|break|questions?|discussion|chat|meeting|talk)|"
    r"take (?:a|your|the next|questions?)|start|move on|continue|see|come (?:back )?to|go to|get to)\b"
    r"|\bpoint of order\b|"
    r"\bit is (?:so )?(?:ordered|carried) that i\b|\bset(?:tled)? down\b",
    actions=(
        Cue(rf"\bi(?:'ll| will| shall) {_SOON}{{DO}}", 2.2, "speaker"),
        Cue(rf"\bi(?:'m| am) (?:going to|gonna) {_SOON}{{DO}}", 1.9, "speaker"),
        Cue(rf"\bi (?:can|could) {_SOON}{{DO}}", 1.1, "speaker"),
        Cue(rf"\b(?:let me|i need to|i have to|i must|i should|i've got to) {_SOON}{{DO}}", 1.1, "speaker"),
        Cue(
            r"\bi(?:'ll| will) (?:take care of|do (?:that|it|this)|get (?:that|it|this) done|handle|take that)\b",
            2,
            "speaker",
        ),
        Cue(
            rf"\b{{NAME}},? (?:will|is going to|is gonna|shall|is to|should|needs to|has to|must|has agreed to"
            rf"|agreed to|"
            rf"has offered to) {_SOON}{{DO}}",
            2.3,
            "named",
        ),
        Cue(r"\b{NAME},? (?:can|could|would|will) you (?:please |maybe |perhaps )*{DO}", 2.3, "named"),
        Cue(r"\b(?:can|could|would|will) you,? {NAME},? (?:please )?{DO}", 2.3, "named"),
        Cue(
            rf"\b{{NAME}},? (?:please|you(?:'ll| will| should| need to| have to| are going to)) {_SOON}{{DO}}",
            2.3,
            "named",
        ),
        Cue(r"\b{NAME} (?:is responsible for|is in charge of|takes care of|takes on|owns)\b", 2.2, "named"),
        Cue(r"\b(?:assigned to|(?:action|task|to-?do) for) {NAME}\b", 2.5, "named"),
        Cue(rf"\bi(?:'d| would)? (?:want|need|like|ask) you (?:all |both )?to {_SOON}{{DO}}", 1.5),
        Cue(r"\bi(?:'d| would) like {NAME} to\b", 2.5, "named"),
        Cue(
            r"\b(?:(?:can|could) (?:you|someone|somebody|anyone)|would you(?: please| mind"
            r"| be able to)) (?:please |maybe |perhaps |also )*{DO}",
            1.4,
        ),
        Cue(r"\bplease {DO}", 1.4),
        Cue(rf"\byou(?:'ll| will|'re going to| are going to| need to| have to| must| should) {_SOON}{{DO}}", 0.9),
        Cue(rf"\bwe(?:'ll| will|'re going to| are going to| shall) {_SOON}{{DO}}", 0.9),
        Cue(rf"\bwe (?:still )?(?:need to|have to|must) {_SOON}{{DO}}", 1.1),
        Cue(rf"\bwe (?:should|ought to) {_SOON}{{DO}}", 0.9),
        Cue(rf"\b(?:someone|somebody) (?:needs to|has to|should|must|will) {_SOON}{{DO}}", 1.6),
        Cue(
            r"\b(?:action (?:item|point)|to-?do|next step|follow-?up action|homework"
            r"|deadline)s?\b.{0,40}\b(?:is|are|for|:)",
            1.4,
        ),
    ),
    subordinate=r"\b(?:if|when|whenever|unless|which|what|how|why|where|whether|suppose|imagine|because|'cause"
    r"|hope|until|once|"
    r"things? that|do|did|than|would|should|might)\s*$",
    not_actions=r"\b(?:finish|start|begin|end|continue) (?:up |off )?with\b|\bif (?:we|you|i|they) (?:don't|do"
    r"|could)\b|"
    r"\bi(?:'ll| will| can|'m going to| am going to) (?:just )?(?:tell you|ask you|say|share (?:with you"
    r"|my screen)|show you|read (?:it|this)|turn (?:it )?over|go (?:on|back|to|through)|"
    r"move on|run (?:through|over)|present (?:to|my|the)|introduce|address|raise (?:a|the) point|add (?:that"
    r"|to that|one)|"
    r"give way|bring in|call on|open (?:it|with)|report (?:back )?that|ask (?:a|the|my|one|another|about|if"
    r"|whether|for)|note)\b|"
    r"\b(?:i can|let me) (?:tell|assure|address|ask|add|remind|report|clarify|confirm that|find|run|check if|"
    r"speak to that|just check)\b|\b(?:didn't|don't|doesn't|never|cannot|can't|won't|not) "
    r"(?:need|have|going) to\b|\b(?:can|could|would|will) you (?:please )?(?:tell|confirm|report|explain"
    r"|clarify|address|"
    r"speak (?:to|up)|share your|give|call (?:it|that))\b|\bused to\b|\bplease (?:note|read|report|tell|go|address)\b",
    still_open=r"\b(?:(?:we|i) (?:really |still )?(?:do not|don't) (?:really |actually )?know(?: (?:that|yet"
    r"|it))?(?=[\s.,!]|$)|"
    r"not (?:sure|clear|certain|decided)(?: yet)?|(?:still|remains) (?:open|unclear|to be (?:seen|decided|discussed))|"
    r"question is (?:still )?open|open question|no idea|(?:good|tough|tricky) question|to be (?:decided"
    r"|determined|confirmed)|"
    r"come back to (?:it|that|this)|have to (?:find out|see|think about|look into)|need to (?:find out"
    r"|think about|look into|"
    r"check|discuss)|we'll (?:see|find out)|let's (?:park|take) (?:that|it|this)|not yet|up in the air"
    r"|haven't (?:decided|"
    r"thought|discussed|figured))",
    ceremony=r"\b(?:welcome|apolog\w+|thank(?:s| you)|good (?:morning|afternoon|evening)|nice to|my name is"
    r"|present(?:ation)?|"
    r"tell you|show you|point of order|mr\.? chair|madam chair|honou?rable)\b",
    capitalised_names=True,
    calendar=Calendar(
        today=r"\b(?:today|tonight|this (?:afternoon|evening))\b",
        tomorrow=r"\btomorrow\b",
        day_after_tomorrow=r"\bthe day after tomorrow\b",
        weekdays=("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        months=(
            "january|jan",
            "february|feb",
            "march",
            "april|apr",
            "may",
            "june|jun",
            "july|jul",
            "august|aug",
            "september|sept?",
            "october|oct",
            "november|nov",
            "december|dec",
        ),
        deadline=r"\b(?:by|until|till|before|no later than|not later than|due|on|this|due on|by this)\s+(?:the\s+)?",
        end_of_week=r"\b(?:(?:the )?end of (?:the|this) week|later this week|this week)\b",
        next_week=r"\b(?:next week|the end of next week)\b",
        end_of_month=r"\b(?:the )?end of (?:the|this) month\b",
        in_days=r"\b(?:in|within) (?:the next )?(?P<count>\w+) days?\b",
        in_weeks=r"\b(?:in|within) (?:the next )?(?P<count>\w+) weeks?\b",
        day_and_month=(
            r"\b(?P<day>\d{1,2})(?:st|nd|rd|th)? (?:of )?(?P<month>{MONTHS})\b(?:,? (?P<year>20\d\d))?",
            r"\b(?P<day>[a-z]+(?:-[a-z]+)?) of (?P<month>{MONTHS})\b(?:,? (?P<year>20\d\d))?",
            (
                r"\b(?P<month>{MONTHS}) (?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th)?\b(?! ?(?:%|per|:"
                r"|people))(?:,? (?P<year>20\d\d))?"
            ),
            r"\b(?P<month>{MONTHS}) the (?P<day>[a-z]+(?:-[a-z]+)?)\b(?:,? (?P<year>20\d\d))?",
        ),
        past_or_vague=r"\b(?:last|next|every|each|this past) (?:{DAY})\b",
        day_of_month=r"\bthe (?P<day>\d{1,2})(?:st|nd|rd|th)\b(?! of\b)",
        numbers={
            "a": 1,
            "an": 1,
            "one": 1,
            "two": 2,
            "three": 3,
            "four": 4,
            "five": 5,
            "six": 6,
            "seven": 7,
            "eight": 8,
            "nine": 9,
            "ten": 10,
            "fourteen": 14,
            "first": 1,
            "second": 2,
            "third": 3,
            "fourth": 4,
            "fifth": 5,
            "sixth": 6,
            "seventh": 7,
            "eighth": 8,
            "ninth": 9,
            "tenth": 10,
            "eleventh": 11,
            "twelfth": 12,
            "thirteenth": 13,
            "fourteenth": 14,
            "fifteenth": 15,
            "sixteenth": 16,
            "seventeenth": 17,
            "eighteenth": 18,
            "nineteenth": 19,
            "twentieth": 20,
            "twenty-first": 21,
            "twenty-second": 22,
            "twenty-third": 23,
            "twenty-fourth": 24,
            "twenty-fifth": 25,
            "twenty-sixth": 26,
            "twenty-seventh": 27,
            "twenty-eighth": 28,
            "twenty-ninth": 29,
            "thirtieth": 30,
            "thirty-first": 31,
        },
    ),
)
