from __future__ import annotations

import pytest

from chatvista.foundation.problems import Problem
from meetings.readers.captions import read_srt, read_vtt
from meetings.readers.contracts import SaidLine


def test_a_voice_names_the_speaker_and_markup_is_no_word() -> None:
    header = "WEBVTT - a title\n\nNOTE made by hand\n00:00 --> nothing\n\n"
    text = header + "1\n00:01.000 --> 00:02.500 align:start\n<v.loud Hana Sato>We <i>agreed</i> &amp; left</v>\n"
    assert read_vtt(text) == (SaidLine("Hana Sato", 1000, 2500, "We agreed & left"),)


def test_two_voices_in_one_cue_are_two_segments_with_its_times() -> None:
    text = "WEBVTT\r\n\r\n01:00:00.000 --> 01:00:04.000\r\n<v Hana>Yes?\r\n<v Pavel>No.\r\n"
    assert read_vtt(text) == (
        SaidLine("Hana", 3_600_000, 3_604_000, "Yes?"),
        SaidLine("Pavel", 3_600_000, 3_604_000, "No."),
    )


def test_a_cue_that_says_nothing_is_still_a_segment() -> None:
    assert read_vtt("WEBVTT\n\n00:01.000 --> 00:02.000\n\n00:02.000 --> 00:03.000\nHi")[0].text == ""


def test_cues_straight_below_the_header_are_read() -> None:
    assert [line.text for line in read_vtt("WEBVTT\n00:01.000 --> 00:02.000\nHi\n")] == ["Hi"]


def test_subrip_takes_commas_numbers_and_names() -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\nPavel: Good\nmorning\n\n2\n00:00:02,000 --> 00:00:03,000\nWe meet at 10:30\n"
    )
    assert read_srt(text) == (
        SaidLine("Pavel", 1000, 2000, "Good morning"),
        SaidLine("", 2000, 3000, "We meet at 10:30"),
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Hello", "line 1"),
        ("WEBVTTX\n\n00:01.000 --> 00:02.000\nHi", "line 1"),
        ("WEBVTT\n\n00:01 --> 00:02.000\nHi", "line 3"),
        ("WEBVTT\n\n00:01.000 -->\nHi", "line 3"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\nlost\nwords", "line 6"),
        ("WEBVTT\n\n00:05.000 --> 00:02.000\nHi", "line 3"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n" + "x" * 20_001, "line 3"),
        ("WEBVTT\n\n9999999:00:00.000 --> 9999999:00:01.000\nHi", "line 3"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nH\x00i", "line 3"),
        ("WEBVTT\n", "line 1"),
        ("WEBVTT -->\n", "line 1"),
        ("WEBVTT\n\nREGION -->\n", "line 3"),
        ("WEBVTT\n\nSTYLE -->\n\n00:01.000 --> 00:02.000\nHi", "line 3"),
        ("WEBVTT\n\n" + "9" * 5000 + ":00:00.000 --> 00:02.000\nHi", "line 3"),
    ],
)
def test_what_is_wrong_with_a_webvtt_file_is_said_by_line(text: str, line: str) -> None:
    with pytest.raises(Problem) as caught:
        read_vtt(text)
    assert (caught.value.status, caught.value.code, list(caught.value.fields)) == (400, "transcript_malformed", [line])


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("<v Hana", [("", "<v Hana")]),
        ("<v>Hi", [("", "Hi")]),
        ("<vHana>Hi", [("", "Hi")]),
        ("<V.loud.fast\tHana  Sato>Hi<v >you", [("Hana Sato", "Hi"), ("", "you")]),
        ("So <v Hana>Hi <c.red>there</c></v> <i>all</i>", [("", "So"), ("Hana", "Hi there all")]),
        ("<v Hana></v>", [("Hana", "")]),
        ("1 < 2 <b>and</b> 3 > 2", [("", "1 < 2 and 3 > 2")]),
    ],
)
def test_tags_are_read_as_webvtt_writes_them(payload: str, said: list[tuple[str, str]]) -> None:
    lines = read_vtt(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{payload}\n")
    assert [(line.speaker, line.text) for line in lines] == said


@pytest.mark.parametrize(
    "text", ["", "1\n", "1\n00:00:01,000 -> 00:00:02,000\nHi", "1\n0:0:1,000 --> 00:00:02,000\nHi"]
)
def test_what_is_no_subrip_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        read_srt(text)
    assert caught.value.status == 400
