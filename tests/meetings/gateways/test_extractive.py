from __future__ import annotations

import json
import random
import re
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import meetings.samples
from meetings.gateways.contracts import Brief, Draft, Line
from meetings.gateways.extractive import LANGUAGES, ExtractiveMinutes

THURSDAY = date(2026, 11, 19)
LISTS = ("summary", "topics", "decisions", "action_items", "open_questions")


def spoken(*turns: tuple[str, str]) -> list[Line]:
    return [
        Line(f"s{number}", speaker, number * 5_000, number * 5_000 + 4_500, text)
        for number, (speaker, text) in enumerate(turns)
    ]


def minuted(lines: list[Line], *, language: str = "en", people: tuple[str, ...] = ()) -> Draft:
    brief = Brief(title="Meeting", held_on=THURSDAY, language=language, people=people)
    return ExtractiveMinutes().draft(lines=lines, brief=brief, progress=lambda _: None)


def actions(draft: Draft) -> list[tuple[str, str, date | None]]:
    return [(item.text, item.owner, item.due_on) for item in draft.action_items]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def is_within(needle: list[str], hay: list[str]) -> bool:
    """Whether all words of `needle` come in `hay` in their order."""
    rest = iter(hay)
    return all(word in rest for word in needle)


def test_the_sample_meeting_is_minuted_as_a_person_would() -> None:
    script = json.loads((Path(meetings.samples.__file__).parent / "script.json").read_text(encoding="utf-8"))
    lines = [
        Line(str(number), line["speaker"], line["start_ms"], line["end_ms"], line["text"])
        for number, line in enumerate(script["lines"])
    ]
    draft = minuted(lines, people=tuple(person["name"] for person in script["participants"]))
    assert [
        "agreed to open on Saturday" in item.text or "decided to stay open" in item.text for item in draft.decisions
    ] == [
        True,
        True,
    ]
    assert {(owner, due) for _, owner, due in actions(draft)} == {
        ("Daniel", date(2026, 11, 20)),
        ("Peter", date(2026, 11, 20)),
        ("Andrew", date(2026, 11, 25)),
        ("Daniel", date(2026, 11, 30)),
    }
    assert [item.text for item in draft.open_questions] == ["Who will speak to the local newspaper?"]
    assert 3 <= len(draft.summary) <= 7
    assert draft.topics


def test_a_promise_belongs_to_who_made_it_or_was_named() -> None:
    lines = spoken(
        ("Ana", "Um, well, I will draft the contract by Friday."),
        ("Ben", "Priya will call the supplier tomorrow."),
        ("Ana", "Ben, could you please book the room?"),
        ("", "I will send the invitations."),
        ("Ana", "If I send the letter, they will complain."),
        ("Ana", "I would send the letter if it were ready."),
        ("Ana", "That will change the price of the whole project."),
    )
    assert actions(minuted(lines, people=("Priya Rao",))) == [
        ("I will draft the contract by Friday.", "Ana", date(2026, 11, 20)),
        ("Priya will call the supplier tomorrow.", "Priya Rao", date(2026, 11, 20)),
        ("Ben, could you please book the room?", "Ben", None),
        ("I will send the invitations.", "", None),
    ]


def test_a_name_nobody_told_us_is_taken_from_its_capital() -> None:
    lines = spoken(
        ("A", "Yesterday we met Marta in the harbour."), ("B", "Marta will send the drawings to the council.")
    )
    assert [owner for _, owner, _ in actions(minuted(lines))] == ["Marta"]


def test_two_promises_in_one_sentence_are_two_items() -> None:
    lines = spoken(("Ana", "I will order the chairs tomorrow, and Ben will check the invoice by Wednesday."))
    assert actions(minuted(lines, people=("Ben",))) == [
        ("I will order the chairs tomorrow", "Ana", date(2026, 11, 20)),
        ("Ben will check the invoice by Wednesday.", "Ben", date(2026, 11, 25)),
    ]


def test_what_was_not_decided_is_no_decision() -> None:
    lines = spoken(
        ("A", "We have decided to move the office to Leith."),
        ("B", "Have we decided on the colour of the walls?"),
        ("A", "We have not decided on the colour of the walls."),
        ("B", "We still need to decide who pays for the furniture."),
        ("A", "If we decided on a loan, the bank would help."),
        ("B", "The motion was carried with seven votes."),
        ("A", "Let's go with the blue carpet for the hall."),
    )
    assert [item.text for item in minuted(lines).decisions] == [
        "We have decided to move the office to Leith.",
        "The motion was carried with seven votes.",
        "Let's go with the blue carpet for the hall.",
    ]


def test_a_question_is_open_only_when_it_stayed_open() -> None:
    lines = spoken(
        ("A", "How many chairs are in the hall?"),
        ("B", "There are forty chairs in the hall."),
        ("A", "Who pays for the new projector?"),
        ("B", "We do not know that yet."),
    )
    (point,) = minuted(lines).open_questions
    assert point.text == "Who pays for the new projector?"
    assert [item.segment for item in point.evidence] == ["s2", "s3"]


@pytest.mark.parametrize(
    ("language", "turns", "decision", "action", "question"),
    [
        (
            "de",
            [
                ("Jana", "Wir haben beschlossen, dass das Büro nach Köln umzieht."),
                ("Timo", "Ich schicke den Vertrag bis Freitag an alle."),
                ("Jana", "Wer bezahlt eigentlich den neuen Beamer?"),
                ("Timo", "Das wissen wir noch nicht."),
            ],
            "Wir haben beschlossen, dass das Büro nach Köln umzieht.",
            ("Ich schicke den Vertrag bis Freitag an alle.", "Timo", date(2026, 11, 20)),
            "Wer bezahlt eigentlich den neuen Beamer?",
        ),
        (
            "fr",
            [
                ("Anne", "Nous avons décidé de déménager le bureau à Lyon."),
                ("Paul", "Je vais envoyer le contrat à tout le monde demain."),
                ("Anne", "Qui paie le nouveau projecteur de la salle ?"),
                ("Paul", "On ne sait pas encore."),
            ],
            "Nous avons décidé de déménager le bureau à Lyon.",
            ("Je vais envoyer le contrat à tout le monde demain.", "Paul", date(2026, 11, 20)),
            "Qui paie le nouveau projecteur de la salle?",
        ),
        (
            "es",
            [
                ("Lucía", "Hemos decidido trasladar la oficina a Sevilla."),
                ("Pablo", "Voy a enviar el contrato a todos para el viernes."),
                ("Lucía", "¿Quién paga el proyector nuevo de la sala?"),
                ("Pablo", "Todavía no lo sabemos."),
            ],
            "Hemos decidido trasladar la oficina a Sevilla.",
            ("Voy a enviar el contrato a todos para el viernes.", "Pablo", date(2026, 11, 20)),
            "¿Quién paga el proyector nuevo de la sala?",
        ),
    ],
)
@pytest.mark.parametrize("told", [True, False], ids=["language told", "language guessed"])
def test_it_knows_other_languages(
    language: str,
    turns: list[tuple[str, str]],
    decision: str,
    action: tuple[str, str, date],
    question: str,
    told: bool,
) -> None:
    draft = minuted(spoken(*turns), language=language if told else "")
    assert [item.text for item in draft.decisions] == [decision]
    assert actions(draft) == [action]
    assert [item.text for item in draft.open_questions] == [question]


def test_in_a_language_it_does_not_know_it_gives_questions_and_claims_nothing_else() -> None:
    lines = spoken(
        *[("A", "Spotkanie dotyczy nowej biblioteki w porcie."), ("B", "Kto zapłaci za nowe krzesła w sali?")] * 5
    )
    draft = minuted(lines, language="pl")
    assert "pl" not in LANGUAGES
    assert (draft.decisions, draft.action_items) == ((), ())
    assert [item.text for item in draft.open_questions] == ["Kto zapłaci za nowe krzesła w sali?"]


def test_a_single_line_is_its_own_summary() -> None:
    said = "Ask not what your country can do for you; ask what you can do for your country."
    draft = minuted(spoken(("", said)))
    assert [(point.text, point.evidence[0].segment) for point in draft.summary] == [(said, "s0")]


def test_an_empty_transcript_gives_empty_minutes() -> None:
    draft = minuted([])
    assert all(getattr(draft, name) == () for name in LISTS)
    assert draft.coverage.segments_total == 0


SENTENCES = [
    "I will send the harbour report by Friday.",
    "Um, you know, yeah.",
    "We agreed to paint the east wing of the library.",
    "What happens with the northern car park?",
    "Nobody knows {disfmarker} um that that yet .",
    "The northern car park floods whenever the tide is high in spring.",
    "Peter should check the pump {vocalsound}",
    "会議を始めます。",
    "a\x00b",
    "...",
    "",
]


@settings(max_examples=150, deadline=None)
@given(
    picks=st.lists(st.tuples(st.sampled_from(["Ana", "Peter", ""]), st.sampled_from(SENTENCES)), max_size=60),
    language=st.sampled_from(["en", "de", "fr", "es", "pl", "", "en-GB"]),
)
def test_no_word_is_ever_invented_and_every_point_cites_a_line(picks: list[tuple[str, str]], language: str) -> None:
    lines = spoken(*picks)
    by_id = {line.id: line for line in lines}
    draft = minuted(lines, language=language, people=("Peter",))
    for name in LISTS:
        for point in getattr(draft, name):
            assert point.evidence
            quoted = " ".join(item.quote for item in point.evidence)
            assert all(
                " ".join(item.quote.split()) in " ".join(by_id[item.segment].text.split()) for item in point.evidence
            )
            assert all(item.start_ms == by_id[item.segment].start_ms for item in point.evidence)
            if name == "topics":
                assert set(words(point.text)) <= {word for line in lines for word in words(line.text)}
            else:
                assert is_within(words(point.text), words(quoted))
    assert draft.coverage.segments_used == len(lines)


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(max_size=80), max_size=20), language=st.sampled_from(["en", "de", ""]))
def test_whatever_was_said_it_does_not_fail(texts: list[str], language: str) -> None:
    minuted(spoken(*[("A", text) for text in texts]), language=language)


def test_two_hours_are_read_in_seconds_and_lists_stay_short() -> None:
    chance = random.Random(7)
    vocabulary = [
        f"{a}{b}" for a in ("har", "lib", "pum", "cha", "ste", "bro") for b in ("bour", "rary", "ping", "nel", "wick")
    ]
    turns = []
    for number in range(2_500):
        filler = " ".join(chance.choices([*vocabulary, "the", "of", "and", "we", "to"], k=14))
        text = chance.choice(SENTENCES[:4]) if number % 5 == 0 else f"We looked at {filler}."
        turns.append(
            (chance.choice(["Ana", "Ben", "Cleo"]), text.replace("Friday", chance.choice(["Friday", "Monday"])))
        )
    lines = spoken(*turns)
    began = time.process_time()
    draft = minuted(lines)
    assert time.process_time() - began < 10, "half a second on an idle machine"
    assert len(draft.decisions) <= 12
    assert len(draft.action_items) <= 20
    assert len(draft.summary) <= 7
    starts = [item.evidence[0].start_ms for item in draft.action_items]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    "text",
    ["we will check the harbour and then " * 8_000, "a. " * 60_000, ",." * 60_000 + "x", "{" * 100_000, "no " * 90_000],
)
def test_one_endless_line_is_read_in_reasonable_time(text: str) -> None:
    began = time.process_time()
    minuted(spoken(("A", text)))
    assert time.process_time() - began < 15, "a third of a second on an idle machine"


def test_the_same_transcript_gives_the_same_minutes() -> None:
    lines = spoken(*[("Ana", text) for text in SENTENCES * 5])
    assert minuted(lines) == minuted(lines)
