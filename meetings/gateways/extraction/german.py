"""German: what decisions, promises, open questions and dates sound like."""

from __future__ import annotations

from meetings.gateways.extraction.cues import Calendar, Cue, Cues

_STOPWORDS = """
aber ach ah alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch auf aus
außerdem bei beide beiden beim bereits besonders besser bestimmt bin bis bisschen bist bitte bleibt da dabei dadurch
dafür dagegen daher dahin damit danach dann daran darauf darf darum darüber das dass davon davor dazu dein deine dem den
denen denke denn dennoch der deren des deshalb dessen deswegen dich die dies diese diesem diesen dieser dieses dir doch
dort du durch dürfen eben ebenfalls eben eher ehrlich eigentlich ein eine einem einen einer eines einfach einige einmal
er erst es etwa etwas euch euer eure fand fast finde für gab ganz gar geben gegen gehen geht gemacht genau gerade gern
gerne gesagt gibt gleich glaube gut gute guten guter hab habe haben habt halt hat hatte hatten hast hätte hätten heißt
her heute hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in ins ist ja jede jedem jeden jeder
jedes jemand jetzt kann kannst kein keine keinem keinen keiner klar kommen kommt können könnte könnten lassen leider
letzte letzten machen macht mal man manche mehr mein meine meinem meinen meiner mich mir mit morgen muss müssen müsste
nach nächste nächsten nah natürlich ne nee nein nicht nichts nie niemand noch nun nur ob oder oft oh ohne okay ok prima
quasi recht richtig sagen sagt schon sehen sehr seid sein seine seinem seinen seiner seit selbst sich sicher sie sieht
sind so sogar solche soll sollen sollte sollten sondern sonst sowie super tun tja über überhaupt übrigens um und uns
unser unsere unserem unseren unserer unter viel viele vielen vielleicht vom von vor wann war waren warum was weg wegen
weil weiß weiter welche welchem welchen welcher welches wem wen wenig wenn wer werde werden werdet wie wieder will wir
wird wirklich wirst wissen wo wohl wollen wollte worden wurde wurden würde würden während zu zum zur zurück zwar zwei
zwischen äh ähm öh hm hmm mhm danke dank sache sachen ding dinge zeit tag tage woche wochen jahr jahre leute
"""

_DETERMINERS = """
der die das den dem des ein eine einen einem einer eines unser unsere unseren unserem unserer mein meine ihr
ihre kein keine diese dieser dieses diesen im am zum zur beim
"""

_DOING = (
    r"(?:schick|schreib|send|erstell|prüf|überprüf|besorg|bestell|buch|organisier|kümmer|klär|abklär|ruf|anruf|"
    r"frag|nachfrag|vorbereit|bereit|mach|erledig|übernehm|lad|einlad|einricht|aktualisier|ergänz|überarbeit|"
    r"verschick|weiterleit|leit|meld|sammel|zusammenstell|stell|teil|informier|test|kauf|bezahl|plan|vereinbar|"
    r"rechn|berechn|bring|hol|reparier|beantrag|unterschreib|veröffentlich|dokumentier|sprech|spreche|red|kontaktier|"
    r"recherchier|vergleich|liefer|schau|such|leg|setz|reich|absag|verschieb|installier|trag)\w*"
)

GERMAN = Cues(
    code="de",
    stopwords=frozenset(_STOPWORDS.split()),
    determiners=frozenset(_DETERMINERS.split()),
    fillers=r"(?:ähm?|öh|hm+|also|ja|nein|gut|okay|ok|na|nun|so|und|aber|genau|tja|naja|ach|super|prima"
    r"|ich glaube|ich denke)",
    doing=_DOING,
    decisions=(
        Cue(
            r"\bwir (?:haben|hatten) (?:uns )?(?:\w+ ){0,8}?(?:beschlossen|entschieden|geeinigt|vereinbart"
            r"|festgelegt)\b",
            3,
        ),
        Cue(
            r"\b(?:beschlossen|vereinbart|entschieden|festgelegt),? (?:dass|wird|ist)\b|\bes (?:ist|wurde|wird) "
            r"(?:\w+ ){0,4}?(?:beschlossen|entschieden|vereinbart)\b",
            2.5,
        ),
        Cue(r"\b(?:der beschluss|die entscheidung|unsere entscheidung) (?:ist|lautet|steht|war)\b", 3),
        Cue(
            r"\b(?:antrag|vorschlag|haushalt|protokoll) (?:ist|wird|wurde) (?:\w+ ){0,2}?(?:angenommen"
            r"|abgelehnt|genehmigt)\b",
            3,
        ),
        Cue(
            r"\b(?:wir einigen uns auf|wir entscheiden uns für|wir bleiben bei|wir nehmen|wir verzichten auf"
            r"|wir verschieben|"
            r"wir streichen|dabei bleibt es|so machen wir(?:'s| es| das)|dann machen wir (?:das|es) so|damit ist)\b",
            2,
        ),
        Cue(
            r"\b(?:dann|also) (?:nehmen|machen|bleiben|starten|eröffnen|verwenden|lassen|streichen|verschieben) wir\b",
            1.7,
        ),
    ),
    not_decisions=r"\b(?:ob|wenn|falls|nicht|noch nicht|müssen|sollten|können|müssten) (?:\w+ ){0,4}?"
    r"(?:beschlossen|entschieden|entscheiden|vereinbart|vereinbaren|beschließen)\b",
    actions=(
        Cue(rf"\bich (?:werde|will) (?:\S+ ){{0,10}}?{_DOING}\b", 2.2, "speaker"),
        Cue(
            rf"\b(?:ich {{DO}}|{_DOING} ich) (?:\S+ ){{0,8}}?(?:bis|morgen|heute|noch|gleich|übermorgen|nächste"
            rf"|am|dann)\b",
            2,
            "speaker",
        ),
        Cue(
            r"\bich (?:kümmere mich|übernehme|erledige|mache das|besorge|schicke|kläre|prüfe|bestelle|organisiere)\b",
            2,
            "speaker",
        ),
        Cue(rf"\bich (?:muss|kann|soll) (?:\S+ ){{0,10}}?{_DOING}\b", 1.2, "speaker"),
        Cue(
            r"\b{NAME},? (?:wird|soll|muss|sollte|übernimmt|kümmert sich|erledigt|macht|schickt|prüft|bestellt|klärt|"
            r"besorgt|organisiert|bereitet|schreibt|ruft)\b",
            2.2,
            "named",
        ),
        Cue(
            r"\b{NAME},? (?:kannst|könntest|würdest|machst|schickst|übernimmst|können|könnten) (?:du|sie)\b",
            2.2,
            "named",
        ),
        Cue(r"\b(?:kannst|könntest|würdest) du,? {NAME}\b", 2.2, "named"),
        Cue(
            rf"\b(?:kannst du|könntest du|können sie|könnten sie|kann jemand"
            rf"|könnte jemand) (?:bitte )?(?:\S+ ){{0,10}}?{_DOING}",
            1.4,
        ),
        Cue(rf"\bwir (?:müssen|sollten|werden) (?:\S+ ){{0,10}}?{_DOING}", 1.1),
        Cue(rf"\bbitte (?:\S+ ){{0,6}}?{_DOING}", 1.2),
    ),
    subordinate=r"\b(?:wenn|falls|ob|weil|dass|was|wie|wo|bevor|sobald)\s*$",
    not_actions=r"\b(?:wenn|falls|ob|weil) (?:ich|wir|du|sie|er)\b|\bich (?:kann|will|muss) (?:nur |mal |ja "
    r"|das )*(?:sagen|fragen)\b",
    still_open=r"\b(?:(?:wissen wir|weiß ich|das wissen wir|wir wissen (?:es|das)|ich weiß (?:es|das)) (?:noch "
    r"|leider )?nicht|"
    r"(?:noch|weiter) (?:offen|unklar|nicht klar|nicht entschieden|nicht geklärt)|offene frage|frage ist offen"
    r"|keine ahnung|"
    r"(?:gute|schwierige) frage|müssen wir (?:noch )?(?:klären|prüfen|überlegen|herausfinden|sehen)"
    r"|klären wir (?:später|noch)|"
    r"kommen (?:wir )?(?:darauf|später) zurück|noch zu klären|mal sehen|unsicher|nicht sicher)",
    ceremony=r"\b(?:willkommen|begrüße\w*|entschuldig\w+|dank\w*|guten (?:morgen|tag|abend)|mein name ist)\b",
    capitalised_names=False,  # every noun has a capital
    calendar=Calendar(
        today=r"\b(?:heute|heute abend)\b",
        tomorrow=r"(?<!heute )(?<!guten )(?<!am )\bmorgen\b",
        day_after_tomorrow=r"\bübermorgen\b",
        weekdays=("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag|sonnabend", "sonntag"),
        months=(
            "januar|jänner",
            "februar",
            "märz",
            "april",
            "mai",
            "juni",
            "juli",
            "august",
            "september",
            "oktober",
            "november",
            "dezember",
        ),
        deadline=r"\b(?:bis(?: zum| spätestens)?|am|vor|vor dem|spätestens(?: am)?|diesen|kommenden)\s+",
        end_of_week=r"\b(?:ende (?:der|dieser) woche|diese woche)\b",
        next_week=r"\b(?:(?:bis )?(?:ende )?nächster? woche|kommende woche)\b",
        end_of_month=r"\b(?:ende (?:des|dieses) monats|monatsende)\b",
        in_days=r"\b(?:in|innerhalb von|binnen) (?P<count>\w+) tagen\b",
        in_weeks=r"\b(?:in|innerhalb von|binnen) (?P<count>\w+) wochen?\b",
        day_and_month=(
            r"\b(?P<day>\d{1,2})\.? (?P<month>{MONTHS})\b(?: (?P<year>20\d\d))?",
            r"\b(?P<day>[a-zäöüß]+) (?P<month>{MONTHS})\b(?: (?P<year>20\d\d))?",
            r"\b(?P<day>\d{1,2})\.\s?(?P<month>0?[1-9]|1[0-2])\.(?P<year>20\d\d)?",
        ),
        past_or_vague=r"\b(?:letzten|vorigen|nächsten|jeden) (?:{DAY})\b",
        day_of_month=r"\b(?:bis zum|am) (?P<day>\d{1,2})\.(?=\s*(?:$|[,;]))",
        numbers={
            "einem": 1,
            "einer": 1,
            "zwei": 2,
            "drei": 3,
            "vier": 4,
            "fünf": 5,
            "sechs": 6,
            "sieben": 7,
            "acht": 8,
            "zehn": 10,
            "vierzehn": 14,
            "ersten": 1,
            "zweiten": 2,
            "dritten": 3,
            "vierten": 4,
            "fünften": 5,
            "sechsten": 6,
            "siebten": 7,
            "achten": 8,
            "neunten": 9,
            "zehnten": 10,
            "elften": 11,
            "zwölften": 12,
            "dreizehnten": 13,
            "vierzehnten": 14,
            "fünfzehnten": 15,
            "sechzehnten": 16,
            "siebzehnten": 17,
            "achtzehnten": 18,
            "neunzehnten": 19,
            "zwanzigsten": 20,
            "dreißigsten": 30,
        },
    ),
)
