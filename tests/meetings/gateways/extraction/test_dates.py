from __future__ import annotations

from datetime import date

import pytest

from meetings.gateways.extraction.cues import Cues
from meetings.gateways.extraction.dates import due_on
from meetings.gateways.extraction.english import ENGLISH
from meetings.gateways.extraction.french import FRENCH
from meetings.gateways.extraction.german import GERMAN
from meetings.gateways.extraction.spanish import SPANISH

THURSDAY = date(2026, 11, 19)


@pytest.mark.parametrize(
    ("cues", "text", "expected"),
    [
        (ENGLISH, "I will send it by Friday", date(2026, 11, 20)),
        (ENGLISH, "I will send it Friday.", date(2026, 11, 20)),
        (ENGLISH, "I will send it by Wednesday", date(2026, 11, 25)),
        (ENGLISH, "I will send it tomorrow", date(2026, 11, 20)),
        (ENGLISH, "I will send it the day after tomorrow", date(2026, 11, 21)),
        (ENGLISH, "I will send it today", THURSDAY),
        (ENGLISH, "I will send it by the 3rd of May", date(2027, 5, 3)),
        (ENGLISH, "I will send it by May 3rd", date(2027, 5, 3)),
        (ENGLISH, "I will send it on December 2", date(2026, 12, 2)),
        (ENGLISH, "I will send it by the second of December", date(2026, 12, 2)),
        (ENGLISH, "I will send it by 1 February 2028", date(2028, 2, 1)),
        (ENGLISH, "I will send it by 2026-12-24", date(2026, 12, 24)),
        (ENGLISH, "I will send it by the 25th", date(2026, 11, 25)),
        (ENGLISH, "I will send it by the 3rd", date(2026, 12, 3)),
        (ENGLISH, "I will send it next week", date(2026, 11, 27)),
        (ENGLISH, "I will send it by the end of the week", date(2026, 11, 20)),
        (ENGLISH, "I will send it by the end of the month", date(2026, 11, 30)),
        (ENGLISH, "I will send it in two weeks", date(2026, 12, 3)),
        (ENGLISH, "I will send it within ten days", date(2026, 11, 29)),
        (GERMAN, "Ich schicke das bis Freitag", date(2026, 11, 20)),
        (GERMAN, "Ich schicke das morgen", date(2026, 11, 20)),
        (GERMAN, "Ich schicke das übermorgen", date(2026, 11, 21)),
        (GERMAN, "Ich schicke das bis zum 3. Dezember", date(2026, 12, 3)),
        (GERMAN, "Ich schicke das bis zum 3.12.2026", date(2026, 12, 3)),
        (GERMAN, "Ich schicke das nächste Woche", date(2026, 11, 27)),
        (GERMAN, "Ich schicke das bis Ende des Monats", date(2026, 11, 30)),
        (GERMAN, "Ich schicke das in zwei Wochen", date(2026, 12, 3)),
        (FRENCH, "Je vais l'envoyer d'ici vendredi", date(2026, 11, 20)),
        (FRENCH, "Je vais l'envoyer demain", date(2026, 11, 20)),
        (FRENCH, "Je vais l'envoyer avant le 3 décembre", date(2026, 12, 3)),
        (FRENCH, "Je vais l'envoyer la semaine prochaine", date(2026, 11, 27)),
        (FRENCH, "Je vais l'envoyer dans deux semaines", date(2026, 12, 3)),
        (SPANISH, "Voy a enviarlo para el viernes", date(2026, 11, 20)),
        (SPANISH, "Voy a enviarlo mañana", date(2026, 11, 20)),
        (SPANISH, "Voy a enviarlo antes del 3 de diciembre", date(2026, 12, 3)),
        (SPANISH, "Voy a enviarlo la próxima semana", date(2026, 11, 27)),
    ],
)
def test_a_certain_day_is_understood(cues: Cues, text: str, expected: date) -> None:
    assert due_on(text, held_on=THURSDAY, calendar=cues.calendar) == expected


@pytest.mark.parametrize(
    ("cues", "text"),
    [
        (ENGLISH, "I will send it soon"),
        (ENGLISH, "I will send it by next Friday"),
        (ENGLISH, "I will send what we did last Friday"),
        (ENGLISH, "I will send it by Thursday"),  # said on a Thursday
        (ENGLISH, "I will order it for the Saturday visitors"),
        (ENGLISH, "I will send it by Monday or by Tuesday"),
        (ENGLISH, "I will send it by the 31st of February"),
        (ENGLISH, "I will send it, it may one day help"),
        (ENGLISH, "I may send the list of the second"),
        (ENGLISH, "I will send what came on the 1st of November"),
        (ENGLISH, "I will march on"),
        (GERMAN, "Ich schicke das heute Morgen an alle am Montagabend"),
        (SPANISH, "Voy a hablar por la mañana"),
    ],
)
def test_a_day_that_is_not_certain_is_left_open(cues: Cues, text: str) -> None:
    assert due_on(text, held_on=THURSDAY, calendar=cues.calendar) in {None, THURSDAY if "heute" in text else None}


def test_the_month_ends_where_the_calendar_says() -> None:
    calendar = ENGLISH.calendar
    assert due_on("by the end of the month", held_on=date(2028, 2, 3), calendar=calendar) == date(2028, 2, 29)
    assert due_on("by the 31st", held_on=date(2026, 12, 31), calendar=calendar) == date(2026, 12, 31)
    assert due_on("tomorrow", held_on=date(2026, 12, 31), calendar=calendar) == date(2027, 1, 1)
