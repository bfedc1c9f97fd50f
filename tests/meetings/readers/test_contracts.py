"""What holds for every reader: bounds, control characters, and time that grows with the length alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial

import pytest

from chatvista.foundation.problems import Problem
from meetings.readers.captions import read_srt, read_vtt
from meetings.readers.contracts import MOST_SPEAKERS, SaidLine
from meetings.readers.naming import split_name
from meetings.readers.plain import read_plain
from meetings.readers.structured import read_segments

MIB = 1024 * 1024
CUE = "WEBVTT\n\n00:01.000 --> 00:02.000\n"
HOSTILE = [
    "<v ", "<v", "<", "</", "<v.a", "<v  ", "<v\t", "<v a", "<v.x y>", "<v &lt;>", "&", "&#", "&#1", "&lt", " ",
    "\u2003", "\t", "a ", "a\u3000", "A: ", "A :", ": ", "\uff1a", "A", "9", "-->", "--> ", "00:", "\r", "\n", "\r\n",
    "\x85", "\x01", "WEBVTT", "NOTE ",
]  # fmt: skip


def in_linear_time(read: Callable[[str], object], text: str) -> None:
    began = time.process_time()
    with contextlib.suppress(Problem):
        read(text)
    # Half a second on an idle machine, a multiple of it on a busy one; what grows with the square takes minutes.
    assert time.process_time() - began < 15


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_mebibyte_of_anything_is_read_or_refused_at_once(piece: str) -> None:
    many = piece * (MIB // len(piece))
    for read, text in [
        (read_vtt, CUE + many), (read_vtt, CUE + many + ">"),
        (read_vtt, f"WEBVTT {many}"), (read_vtt, f"WEBVTT\n\n{many}"),
        (read_vtt, f"WEBVTT\n\n{many} --> {many}\nHi"), (read_srt, f"1\n00:00:01,000 --> 00:00:02,000\n{many}"),
        (read_plain, many), (read_plain, f"Hana{many}x"), (read_plain, f"Hana: {many}x"), (split_name, f"Hana{many}x"),
    ]:  # fmt: skip
        in_linear_time(read, text)


def test_many_lines_of_blanks_before_a_colon_are_read_at_once() -> None:
    in_linear_time(read_plain, ("a" + " " * 10_000 + "b\n") * 100)


def line_of(reader: str, speaker: str, words: str) -> SaidLine:
    if reader == "json":
        return read_segments([{"speaker": speaker, "start_ms": 0, "end_ms": 1, "text": words}])[0]
    if reader == "vtt":
        return read_vtt(f"{CUE}<v {speaker}>{words}")[0]
    if reader == "srt":
        return read_srt(f"1\n00:00:01,000 --> 00:00:02,000\n{speaker}: {words}")[0]
    return read_plain(f"{speaker}: {words}")[0]


@pytest.mark.parametrize("reader", ["json", "vtt", "srt", "txt"])
def test_control_characters_are_taken_out_of_names_and_words(reader: str) -> None:
    line = line_of(reader, "Ha\x07na \x9bSa\x1bto", "Shall\x08 we \x1b[31mship\x7f?\x90")
    assert (line.speaker, line.text) == ("Hana Sato", "Shall we [31mship?")


def test_a_control_character_that_parts_words_leaves_a_blank() -> None:
    line = line_of("json", "Hana\x0bSato\n", "one\x0ctwo\nthree\tfour")
    assert (line.speaker, line.text) == ("Hana Sato", "one two\nthree\tfour")


@pytest.mark.parametrize("reader", ["json", "vtt", "srt", "txt"])
@pytest.mark.parametrize(("speaker", "words"), [("Ha\x00na", "Hi"), ("Hana", "H\x00i")])
def test_a_nul_is_refused(reader: str, speaker: str, words: str) -> None:
    with pytest.raises(Problem) as caught:
        line_of(reader, speaker, words)
    assert caught.value.code == "transcript_malformed"


def test_a_transcript_has_so_many_speakers_and_no_more() -> None:
    def said(speakers: int) -> list[dict[str, object]]:
        return [{"speaker": f"V{n % speakers}", "start_ms": n, "end_ms": n, "text": "x"} for n in range(2 * speakers)]

    assert len(read_segments(said(MOST_SPEAKERS))) == 2 * MOST_SPEAKERS
    texts = {
        read_plain: "".join(f"V{n}: x\n" for n in range(MOST_SPEAKERS + 1)),
        read_vtt: CUE + "".join(f"<v V{n}>x\n" for n in range(MOST_SPEAKERS + 1)),
    }
    reads = [partial(read_segments, said(MOST_SPEAKERS + 1)), *(partial(read, text) for read, text in texts.items())]
    for read in reads:
        with pytest.raises(Problem) as caught:
            read()
        assert (caught.value.status, list(caught.value.fields)) == (400, ["speakers"])
