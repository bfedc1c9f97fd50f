"""French: what decisions, promises, open questions and dates sound like."""

from __future__ import annotations

from meetings.gateways.extraction.cues import Calendar, Cue, Cues

_STOPWORDS = """
a ah ai aie ainsi alors après as assez au aucun aucune aujourd'hui auquel aura aurait aussi autre autres aux avaient
avait avant avec avez avoir avons ayant bah beaucoup ben bien bon bonjour bonne car ce ceci cela celle celles celui cent
certains ces cet cette ceux chaque chez chose choses ci comme comment d'abord d'accord dans de depuis dernier dernière
des deux devant doit donc dont du déjà effectivement elle elles en encore enfin ensuite entre es est et euh eux
exactement
faire fait faites faut font fois hein ici il ils j'ai j'avais je jour jours jusque justement l'on la là le les leur
leurs
lui ma mais me merci mes mieux moi moins mon même n'a n'est ne ni non nos notre nous nouveau nouvelle on ont ou oui où
oh
ok okay par parce pas peu peut peut-être peuvent plus plutôt pour pourquoi pourrait pouvez pouvoir premier première
prochain prochaine puis qu'elle qu'il qu'on quand que quel quelle quelles quelqu'un quelque quelques quels qui quoi sa
sais sans se sera serait ses si soient soit sommes son sont sous suis sur ta tant te tel telle tes toi ton toujours tous
tout toute toutes trois très trop tu un une va vais vas veut veux voilà voir vont vos votre vous vraiment vu y c'est
c'était d'un d'une s'il n'y qu'est-ce est-ce l'est était étaient êtes être juste petit petite semaine semaines an ans
merci temps gens donc j'aimerais
"""

_DETERMINERS = """
le la les un une des du au aux notre nos votre vos mon ma mes son sa ses leur leurs ce cet cette ces de
"""

_DOING = (
    r"(?:envo(?:yer|ie|yez)|enverr(?:a|ai)|prépar\w+|vérifi\w+|command\w+|appel\w+|contact\w+|rédig\w+|écri\w+"
    r"|organis\w+|"
    r"réserv\w+|achet\w+|pa(?:yer|ie)|fini\w*|termin\w+|complét\w+|corrig\w+|modifi\w+|mett\w+|mettre|partag\w+"
    r"|publi\w+|"
    r"test\w+|install\w+|planifi\w+|présent\w+|inform\w+|prévenir|demand\w+|transmettr\w+|transfér\w+|relanc\w+"
    r"|invit\w+|"
    r"calcul\w+|analys\w+|cherch\w+|recherch\w+|trouv\w+|regard\w+|occup\w+|charg\w+|fair?e?|fera|ferai|donn\w+"
    r"|livr\w+|"
    r"parl\w+|discut\w+|sign\w+|répond\w+|rappel\w+|ajout\w+|créer?|supprim\w+|mesur\w+|négoci\w+)"
)

FRENCH = Cues(
    code="fr",
    stopwords=frozenset(_STOPWORDS.split()),
    determiners=frozenset(_DETERMINERS.split()),
    fillers=r"(?:euh|heu|ben|bah|bon|alors|donc|oui|non|ok|okay|d'accord|et|mais|voilà|enfin|hein|je pense que"
    r"|je crois que)",
    doing=_DOING,
    decisions=(
        Cue(
            r"\b(?:nous avons|on a|nous sommes|on est) (?:tous |donc |bien |finalement )*(?:décidé|convenu"
            r"|choisi|retenu|"
            r"tombés? d'accord|arrêté|adopté|validé|approuvé)",
            3,
        ),
        Cue(r"\b(?:il (?:est|a été)|c'est) (?:donc )?(?:décidé|convenu|adopté|validé|approuvé|entendu)", 2.5),
        Cue(r"\bla décision (?:est|a été)\b|\bnotre décision\b", 3),
        Cue(
            r"\b(?:motion|proposition|budget|résolution|procès-verbal) (?:est|a été) (?:adoptée?|approuvée?"
            r"|rejetée?|validée?)",
            3,
        ),
        Cue(
            r"\b(?:on part sur|on reste sur|on garde|on retient|on abandonne|on reporte|on choisit"
            r"|nous retenons|nous gardons|"
            r"nous reportons|nous choisissons|nous adoptons|on se met d'accord)\b",
            2,
        ),
        Cue(
            r"\b(?:donc|alors),? (?:on|nous) (?:va|allons|prend|prenons|fait|faisons|ouvre|ouvrons|lance|lançons)\b",
            1.6,
        ),
    ),
    not_decisions=r"\b(?:si|pas encore|pas|faut|doit|devons|devrait|quand|avant de) (?:\w+ ){0,3}?(?:décid\w+"
    r"|choisi\w*|conven\w+)",
    actions=(
        Cue(r"\bje (?:vais|dois) (?:\S+ ){0,3}?{DO}", 2, "speaker"),
        Cue(
            r"\bje (?:l'|le |la |les |vous |te |lui |leur |m'en |m')*(?:enverrai|préparerai|vérifierai"
            r"|commanderai|appellerai|"
            r"contacterai|rédigerai|écrirai|organiserai|réserverai|achèterai|finirai|terminerai|ferai|mettrai"
            r"|partagerai|"
            r"publierai|demanderai|chargerai|occuperai|regarderai|informerai|donnerai|parlerai|relancerai|inviterai)\b",
            2.3,
            "speaker",
        ),
        Cue(r"\bje (?:m'en (?:occupe|charge)|me charge de|m'occupe de|prends en charge)", 2.3, "speaker"),
        Cue(
            r"\b{NAME},? (?:va|doit|devra|devrait|est chargée? de|se charge de|s'occupe de"
            r"|prend en charge) (?:\S+ ){0,3}?\w+",
            2.2,
            "named",
        ),
        Cue(
            r"\b{NAME} (?:enverra|préparera|vérifiera|commandera|appellera|contactera|rédigera|écrira"
            r"|organisera|réservera|"
            r"achètera|finira|terminera|fera|mettra|partagera|publiera|demandera|parlera|invitera)\b",
            2.3,
            "named",
        ),
        Cue(
            r"\b{NAME},? (?:tu peux|peux-tu|pouvez-vous|vous pouvez|pourrais-tu|pourriez-vous|tu pourrais)\b",
            2.2,
            "named",
        ),
        Cue(
            r"\b(?:peux-tu|tu peux|pouvez-vous|pourrais-tu|pourriez-vous|est-ce que tu peux"
            r"|quelqu'un peut) (?:\S+ ){0,3}?{DO}",
            1.4,
        ),
        Cue(r"\b(?:il faut|on doit|nous devons|il faudra|on va devoir|il faudrait) (?:\S+ ){0,3}?{DO}", 1.1),
        Cue(r"\b(?:merci de|veuillez|prière de) (?:\S+ ){0,2}?{DO}", 1.4),
    ),
    subordinate=r"\b(?:si|quand|ce que|comment|où|parce que|lorsque)\s*$",
    not_actions=r"\bsi (?:je|on|nous|tu|vous)\b|\bje (?:vais|dois) (?:juste |vous )*(?:dire|avouer|parler de"
    r"|commencer)\b",
    still_open=r"\b(?:(?:on|je|nous) (?:ne )?(?:le )?(?:sait|sais|savons) pas|pas encore|(?:reste"
    r"|encore) (?:ouverte?|à (?:voir|décider|"
    r"définir|discuter))|question (?:reste )?ouverte|aucune idée|bonne question|à (?:voir|vérifier|confirmer)"
    r"|pas (?:sûre?|clair|"
    r"certain)|(?:on|nous) (?:y )?(?:reviendr\w+|verra|verrons)|faut (?:encore )?(?:vérifier|voir|réfléchir))",
    ceremony=r"\b(?:bienvenue|excus\w+|merci|remerci\w+|bonjour|bonsoir|je m'appelle)\b",
    capitalised_names=True,
    calendar=Calendar(
        today=r"\b(?:aujourd'hui|ce soir|cet après-midi)",
        tomorrow=r"(?<!après-)(?<!après )\bdemain\b",
        day_after_tomorrow=r"\baprès[- ]demain\b",
        weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        months=(
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ),
        deadline=r"\b(?:d'ici(?: à)?|avant|pour|jusqu'à|au plus tard|ce)\s+(?:le\s+)?",
        end_of_week=r"\b(?:fin de (?:la |cette )?semaine|cette semaine)\b",
        next_week=r"\bla semaine prochaine\b",
        end_of_month=r"\b(?:fin (?:de ce |du |de )mois|la fin du mois)\b",
        in_days=r"\b(?:dans|sous|d'ici) (?P<count>\w+) jours?\b",
        in_weeks=r"\b(?:dans|sous|d'ici) (?P<count>\w+) semaines?\b",
        day_and_month=(
            r"\b(?P<day>\d{1,2})(?:er)? (?P<month>{MONTHS})\b(?: (?P<year>20\d\d))?",
            r"\b(?P<day>premier|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|quinze|vingt) (?P<month>{MONTHS})\b",
        ),
        past_or_vague=r"\b(?:{DAY}) (?:dernier|prochain|passé)\b|\b(?:chaque|tous les) (?:{DAY})s?\b",
        day_of_month=r"\b(?:avant|d'ici|pour) le (?P<day>\d{1,2})(?:er)?(?=\s*(?:$|[.,;]))",
        numbers={
            "un": 1,
            "une": 1,
            "premier": 1,
            "deux": 2,
            "trois": 3,
            "quatre": 4,
            "cinq": 5,
            "six": 6,
            "sept": 7,
            "huit": 8,
            "neuf": 9,
            "dix": 10,
            "quinze": 15,
            "vingt": 20,
        },
    ),
)
