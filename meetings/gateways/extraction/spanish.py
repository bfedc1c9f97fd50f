"""Spanish: what decisions, promises, open questions and dates sound like."""

from __future__ import annotations

from meetings.gateways.extraction.cues import Calendar, Cue, Cues

_STOPWORDS = """
a ah al algo alguien algún alguna algunas alguno algunos ahora ahí allí ante antes aquel aquella aquello aquí así aun
aún
aunque bastante bien bueno buena buenas buenos cada casi claro como cómo con contra cosa cosas cual cuál cuales cuando
cuándo cuanto cuánto da dar de debe deben decir del desde después dice dicho donde dónde dos día días e eh el él ella
ellas ellos en entonces entre era eran eres es esa esas ese eso esos esta está están estaba estado estamos estar estas
este esto estos estoy fue fueron gracias ha haber había hace hacer hacia hago han hasta hay he hemos hola hoy igual
incluso
ir ja la las le les lo los luego más mañana me mejor menos mi mí mientras mis mismo misma mucha muchas mucho muchos muy
nada ni no nos nosotros nuestra nuestras nuestro nuestros nuevo o ok okay os otra otras otro otros para parece parte
pero
poco podemos poder podría por porque pues puede pueden puedo que qué quien quién quiere quiero realmente sabe sabemos se
sé sea según semana semanas ser será si sí sido siempre sin sino sobre solo sólo somos son soy su sus también tan
tanto te
tenemos tener tengo ti tiempo tiene tienen toda todas todavía todo todos tres tu tú tus un una unas uno unos usted
ustedes
va vale vamos van ver vez veces voy y ya yo gente año años bien digamos verdad pueda hacemos
"""

_DETERMINERS = """
el la los las un una unos unas del al nuestro nuestra nuestros nuestras mi mis su sus este esta estos estas ese esa
"""

_DOING = (
    r"(?:envi\w+|mand\w+|prepar\w+|revis\w+|verific\w+|comprob\w+|pid\w+|ped\w+|llam\w+|contact\w+|redact\w+|escrib\w+|"
    r"organiz\w+|reserv\w+|compr\w+|pag\w+|termin\w+|acab\w+|complet\w+|corrig\w+|correg\w+|actualiz\w+|compart\w+|"
    r"public\w+|prob\w+|instal\w+|planific\w+|present\w+|inform\w+|avis\w+|pregunt\w+|invit\w+|calcul\w+|analiz\w+|"
    r"busc\w+|investig\w+|encarg\w+|ocup\w+|hac\w+|hará|haré|dar\w*|entreg\w+|habl\w+|firm\w+|respond\w+|record\w+|"
    r"añad\w+|crear\w*|elimin\w+|medir|negoci\w+|pon\w+|traer\w*|llev\w+|resolv\w+|consult\w+)"
)

SPANISH = Cues(
    code="es",
    stopwords=frozenset(_STOPWORDS.split()),
    determiners=frozenset(_DETERMINERS.split()),
    fillers=r"(?:eh+|em+|pues|bueno|bien|entonces|sí|no|ok|okay|vale|y|pero|claro|a ver|o sea|este|creo que"
    r"|yo creo que)",
    doing=_DOING,
    decisions=(
        Cue(
            r"\b(?:hemos|habíamos) (?:\w+ ){0,2}?(?:decidido|acordado|quedado|elegido|aprobado|resuelto|convenido)\b", 3
        ),
        Cue(r"\b(?:decidimos|acordamos|aprobamos|quedamos en|elegimos)\b", 2.2),
        Cue(
            r"\b(?:se ha|se|queda|está|ha sido|fue) (?:decidido|acordado|aprobad[oa]|rechazad[oa]|aprobó|acordó"
            r"|decidió)\b",
            2.5,
        ),
        Cue(r"\bla decisión (?:es|fue|ha sido)\b|\bnuestra decisión\b", 3),
        Cue(
            r"\b(?:nos quedamos con|vamos con|optamos por|descartamos|aplazamos|mantenemos|posponemos|lo dejamos en)\b",
            2,
        ),
        Cue(
            r"\b(?:entonces|así que|por tanto),? (?:vamos a|abrimos|usamos|hacemos|empezamos|lanzamos|dejamos"
            r"|ponemos)\b",
            1.7,
        ),
    ),
    not_decisions=r"\b(?:si|no|aún no|todavía no|hay que|tenemos que|debemos|cuando|antes de) (?:\w+ ){0,3}?"
    r"(?:decid\w+|acord\w+|eleg\w+)\b",
    actions=(
        Cue(r"\b(?:yo )?(?:me |te |les |os |lo |la )*voy a {DO}", 2, "speaker"),
        Cue(
            r"\b(?:enviaré|mandaré|prepararé|revisaré|verificaré|comprobaré|pediré|llamaré|contactaré|redactaré"
            r"|escribiré|"
            r"organizaré|reservaré|compraré|pagaré|terminaré|haré|actualizaré|compartiré|publicaré|informaré"
            r"|avisaré|preguntaré|"
            r"invitaré|buscaré|investigaré|hablaré|consultaré|pondré|traeré|entregaré)\b",
            2.3,
            "speaker",
        ),
        Cue(r"\b(?:yo )?me (?:encargo|ocupo|encargaré|ocuparé)\b", 2.3, "speaker"),
        Cue(
            r"\b{NAME},? (?:va a|tiene que|debe|se encarga de|se ocupa de|se encargará|debería) (?:\S+ ){0,3}?\w+",
            2.2,
            "named",
        ),
        Cue(
            r"\b{NAME} (?:enviará|mandará|preparará|revisará|comprobará|pedirá|llamará|contactará|redactará|escribirá|"
            r"organizará|reservará|comprará|pagará|terminará|hará|compartirá|publicará|hablará|invitará|buscará)\b",
            2.3,
            "named",
        ),
        Cue(r"\b{NAME},? ¿?(?:puedes|podrías|puede|podría)\b", 2.2, "named"),
        Cue(r"(?:\b|¿)(?:puedes|podrías|puede usted|podría|alguien puede) (?:\S+ ){0,2}?{DO}", 1.4),
        Cue(r"\b(?:hay que|tenemos que|debemos|habrá que|tengo que) (?:\S+ ){0,2}?{DO}", 1.1),
        Cue(r"\bpor favor,? (?:\S+ ){0,2}?{DO}", 1.3),
    ),
    subordinate=r"\b(?:si|cuando|lo que|como|cómo|donde|porque|que)\s*$",
    not_actions=r"\bsi (?:yo|nosotros|tú|ellos|se)\b|\bvoy a (?:decir|empezar|comentar|hablar de)\b",
    still_open=r"\b(?:no (?:lo )?(?:sabemos|sé)(?: todavía| aún)?|(?:todavía|aún) no|(?:queda|sigue"
    r"|está) (?:abiert[oa]|pendiente|por ver)|"
    r"pregunta abierta|ni idea|buena pregunta|por (?:decidir|definir|confirmar)|no (?:está|estoy"
    r"|estamos) (?:clar[oa]|segur[oa]s?)|"
    r"(?:ya )?veremos|lo vemos|hay que (?:ver|averiguar|pensar|estudiar)|volveremos)",
    ceremony=r"\b(?:bienvenid\w+|disculp\w+|gracias|agradezc\w+|buen[oa]s (?:días|tardes|noches)|me llamo)\b",
    capitalised_names=True,
    calendar=Calendar(
        today=r"\b(?:hoy|esta tarde|esta noche)\b",
        tomorrow=r"(?<!la )(?<!pasado )(?<!esta )(?<!de )\bmañana\b",
        day_after_tomorrow=r"\bpasado mañana\b",
        weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
        months=(
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre|setiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ),
        deadline=r"\b(?:para|antes de|hasta|el|este|a más tardar)\s?(?:el\s+|l\s+)?",
        end_of_week=r"\b(?:fin(?:al|ales)? de (?:la |esta )?semana|esta semana)\b",
        next_week=r"\bla (?:próxima semana|semana que viene)\b",
        end_of_month=r"\b(?:fin(?:al|ales)? de(?:l| este)? mes)\b",
        in_days=r"\b(?:en|dentro de) (?P<count>\w+) días?\b",
        in_weeks=r"\b(?:en|dentro de) (?P<count>\w+) semanas?\b",
        day_and_month=(
            r"\b(?P<day>\d{1,2}) de (?P<month>{MONTHS})\b(?: de (?P<year>20\d\d))?",
            (
                r"\b(?P<day>primero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|quince"
                r"|veinte) de (?P<month>{MONTHS})\b"
            ),
        ),
        past_or_vague=r"\b(?:{DAY}) (?:pasado)\b|\b(?:cada|todos los|próximo) (?:{DAY})\b",
        day_of_month=r"\b(?:para|antes d)e?l (?:día )?(?P<day>\d{1,2})(?=\s*(?:$|[.,;]))",
        numbers={
            "un": 1,
            "una": 1,
            "uno": 1,
            "primero": 1,
            "dos": 2,
            "tres": 3,
            "cuatro": 4,
            "cinco": 5,
            "seis": 6,
            "siete": 7,
            "ocho": 8,
            "nueve": 9,
            "diez": 10,
            "quince": 15,
            "veinte": 20,
        },
    ),
)
