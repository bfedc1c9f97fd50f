"""Captions, read by a small independent checker, and their promises as properties."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.renderers import render_transcript
from meetings.renderers.contracts import SpokenLine, SpokenWord
from meetings.renderers.cues import ROW, SHORTEST_MS, cut
from tests.meetings.renderers.documents import TRANSCRIPT, hostile_transcript

TIME = r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})"


@dataclass(frozen=True)
class Caption:
    """One cue as a player would see it."""

    start_ms: int
    end_ms: int
    voice: str
    rows: tuple[str, ...]


def _position(parts: tuple[str, ...]) -> int:
    hours, minutes, seconds, thousandths = map(int, parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def _parse(text: str, *, point: str) -> list[Caption]:
    captions = []
    for number, block in enumerate(text.strip("\n").split("\n\n"), start=1):
        name, times, *rows = block.split("\n")
        assert name == str(number)
        found = re.fullmatch(f"{TIME} --> {TIME}", times)
        assert found, times
        assert times.count(point) == 2
        assert rows
        assert "-->" not in "".join(rows)
        voice = re.match(r"<v ([^<>]*)>", rows[0])
        rows[0] = rows[0][voice.end() :] if voice else rows[0]
        captions.append(
            Caption(
                _position(found.groups()[:4]), _position(found.groups()[4:]), voice[1] if voice else "", tuple(rows)
            )
        )
    return captions


def _vtt(lines: tuple[SpokenLine, ...]) -> list[Caption]:
    text = render_transcript(replace(TRANSCRIPT, lines=lines), format="vtt").content.decode()
    assert text.startswith("WEBVTT\n")
    body = text.removeprefix("WEBVTT\n").strip("\n")
    captions = _parse(body, point=".") if body else []
    for caption in captions:
        # Once the voice is taken off, no markup may be left.
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", "".join(caption.rows))
    return [
        replace(caption, voice=html.unescape(caption.voice), rows=tuple(map(html.unescape, caption.rows)))
        for caption in captions
    ]


def _srt(lines: tuple[SpokenLine, ...]) -> list[Caption]:
    text = render_transcript(replace(TRANSCRIPT, lines=lines), format="srt").content.decode()
    return _parse(text, point=",") if text else []


TEXTS = st.text(st.sampled_from("ab .,?!<>&-\n\u0301\U0001f600é\u05d0"), max_size=200) | st.text(max_size=300)
MOMENTS = st.integers(min_value=0, max_value=200_000)


@st.composite
def spoken_lines(draw: st.DrawFn) -> SpokenLine:
    """Any line: overlapping others, of no length, ending before it starts, with words or without."""
    text = draw(TEXTS)
    start, end = draw(MOMENTS), draw(MOMENTS)
    words = None
    if draw(st.booleans()):
        words = tuple(SpokenWord(word, draw(MOMENTS), draw(MOMENTS)) for word in text.split())
    return SpokenLine(draw(st.sampled_from(["", "Hana", "Pavel & <Co>"])), start, end, text, words)


def _letters(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=150, deadline=None)
@given(st.lists(spoken_lines(), max_size=8))
def test_captions_keep_their_promises_whatever_is_said(lines: list[SpokenLine]) -> None:
    captions = _vtt(tuple(lines))
    for caption in captions:
        assert 1 <= len(caption.rows) <= 2
        assert all(row.strip() and len(row) <= ROW for row in caption.rows)
        assert caption.end_ms - caption.start_ms >= SHORTEST_MS
    for earlier, later in pairwise(captions):
        assert earlier.end_ms <= later.start_ms


SPOKEN = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(SPOKEN, min_size=1, max_size=30), min_size=1, max_size=5))
def test_every_word_is_kept_in_order(said: list[list[str]]) -> None:
    lines = tuple(SpokenLine("Hana", i * 9000, i * 9000 + 8000, " ".join(words)) for i, words in enumerate(said))
    assert _letters("".join(row for caption in _vtt(lines) for row in caption.rows)) == _letters(
        "".join(chain.from_iterable(said))
    )
    spoken = "".join(row for caption in _srt(lines) for row in caption.rows).replace("\u200b", "")
    assert _letters(spoken) == "Hana:" + _letters("".join(chain.from_iterable(said))).replace("\u200b", "")


def test_a_long_line_is_cut_by_the_times_of_its_words() -> None:
    words = tuple(SpokenWord(f"word{i:02}", 1000 * i, 1000 * i + 500) for i in range(30))
    text = " ".join(word.text for word in words)
    captions = _vtt((SpokenLine("Hana", 0, 30_000, text, words),))
    assert len(captions) > 1
    for caption in captions:
        spoken = " ".join(caption.rows).split()
        assert caption.start_ms == 1000 * int(spoken[0][4:])
        assert caption.end_ms == 1000 * int(spoken[-1][4:]) + 500


def test_words_that_do_not_make_up_the_text_are_not_believed() -> None:
    words = (SpokenWord("something", 9_000, 9_100), SpokenWord("else", 9_200, 9_900))
    text = "This line was corrected by hand and is long enough to need more than a single caption on the screen."
    captions = _vtt((SpokenLine("Hana", 0, 10_000, text, words),))
    assert captions[0].start_ms == 0
    assert captions[-1].end_ms == 10_000
    assert captions[0].end_ms == pytest.approx(
        10_000 * len(_letters("".join(captions[0].rows))) / len(_letters(text)), abs=2
    )


def test_words_joined_without_spaces_still_time_the_line() -> None:
    words = (SpokenWord(" twenty", 0, 400), SpokenWord("-five", 400, 900), SpokenWord(" pounds", 900, 1_500))
    (caption,) = _vtt((SpokenLine("", 0, 9_000, "twenty-five pounds", words),))
    assert (caption.start_ms, caption.end_ms) == (0, 1_500)


def test_sentences_are_rather_kept_whole() -> None:
    text = "We do not know that yet and will come back to it. Daniel will prepare all the invitations by Friday."
    assert [" ".join(caption.rows) for caption in _vtt((SpokenLine("", 0, 9000, text),))] == [
        "We do not know that yet and will come back to it.",
        "Daniel will prepare all the invitations by Friday.",
    ]


def test_people_who_talk_at_once_are_shown_one_after_another() -> None:
    lines = (SpokenLine("Hana", 1_000, 6_000, "Yes."), SpokenLine("Pavel", 1_000, 6_000, "No."))
    captions = _vtt(lines)
    assert [(caption.voice, caption.start_ms, caption.end_ms) for caption in captions] == [
        ("Hana", 1_000, 1_000 + SHORTEST_MS),
        ("Pavel", 1_000 + SHORTEST_MS, 6_000),
    ]


def test_a_line_of_no_length_can_be_read_where_there_is_room() -> None:
    (caption,) = _vtt((SpokenLine("", 5_000, 5_000, "Yes."),))
    assert (caption.start_ms, caption.end_ms) == (5_000, 6_000)


def test_subrip_names_a_speaker_only_when_it_changes() -> None:
    lines = tuple(
        SpokenLine(name, i * 2000, i * 2000 + 1500, "Yes.") for i, name in enumerate(["Hana", "Hana", "", "Hana"])
    )
    assert [caption.rows[0] for caption in _srt(lines)] == ["Hana: Yes.", "Yes.", "Yes.", "Hana: Yes."]


def test_hostile_speech_forges_no_cue_no_voice_and_no_formatting() -> None:
    lines = hostile_transcript().lines
    spoken = " ".join(" ".join(caption.rows) for caption in _vtt(lines))
    assert "<script>alert(1)</script>" in spoken
    subrip = " ".join(" ".join(caption.rows) for caption in _srt(lines))
    assert not re.search(r"<[a-z/]|\{\\|-->", subrip)


def test_hours_have_as_many_digits_as_they_need() -> None:
    text = render_transcript(
        replace(TRANSCRIPT, lines=(SpokenLine("", 400_000_000, 400_001_000, "Late."),)), format="vtt"
    ).content.decode()
    assert "111:06:40.000 --> 111:06:41.000" in text


def test_nothing_said_is_a_valid_empty_file() -> None:
    assert _vtt(()) == []
    assert cut((SpokenLine("Hana", 0, 1000, ""),)) == ()
