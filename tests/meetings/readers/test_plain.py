from __future__ import annotations

import pytest

from chatvista.foundation.problems import Problem
from meetings.readers.plain import read_plain


def test_each_turn_follows_the_one_before_at_the_pace_of_speech() -> None:
    lines = read_plain("Hana: Good morning everyone\nPavel: Hi\n")
    assert [(line.speaker, line.start_ms, line.end_ms) for line in lines] == [("Hana", 0, 1200), ("Pavel", 1200, 1600)]


def test_a_wrapped_line_continues_its_turn_and_one_after_a_gap_does_not() -> None:
    lines = read_plain("Hana: We will\nship on Friday\n\n(applause)\n")
    assert [(line.speaker, line.text) for line in lines] == [("Hana", "We will ship on Friday"), ("", "(applause)")]


@pytest.mark.parametrize(
    ("line", "speaker"),
    [
        ("Dr. Anna-Lena Weiß: Ja", "Dr. Anna-Lena Weiß"),
        ("SPEAKER_01: Ja", "SPEAKER_01"),
        ("田中: はい", "田中"),
        ("We meet at 10:30 today", ""),
        ("Note: bring cake", ""),
        ("see http://example.org", ""),
        ("the point is this: we ship", ""),
        ("Well, I said this: no", ""),
        ("One two three four five six: no", ""),
        ("12:30", ""),
    ],
)
def test_a_name_is_told_from_a_sentence_with_a_colon(line: str, speaker: str) -> None:
    assert read_plain(line)[0].speaker == speaker


@pytest.mark.parametrize("text", ["", "\n \n", "Hana: a\x00b", "Hana: " + "x" * 20_001, "a\n\n" * 50_001])
def test_what_cannot_be_a_transcript_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        read_plain(text)
    assert caught.value.status == 400
    assert next(iter(caught.value.fields)).startswith("line ")
