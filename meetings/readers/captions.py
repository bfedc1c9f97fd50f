"""Reading WebVTT (https://www.w3.org/TR/webvtt1/) and SubRip. One segment per cue, in the order of the file.

A WebVTT cue with several `<v Name>` voices becomes one segment per voice, all with the times of the cue: one line
cannot have two speakers. Cues without a voice may name their speaker as `Name: text`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from meetings.readers.contracts import SaidLine, checked, malformed, require_countable
from meetings.readers.naming import split_name

_ARROW = "-->"
_VTT_TIME = re.compile(r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})")
_SRT_TIME = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)[,.](\d{1,3})")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]*)>", re.IGNORECASE)
_TAG = re.compile(r"</?[^<>]*>")
_NOT_CUES = ("NOTE", "STYLE", "REGION")


@dataclass(frozen=True, slots=True)
class _Cue:
    number: int
    start_ms: int
    end_ms: int
    payload: str


def read_vtt(text: str) -> tuple[SaidLine, ...]:
    """The lines of a WebVTT file; Problem 400 names the line that is wrong."""
    first = text.split("\n", 1)[0].rstrip("\r")
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", first):
        raise malformed("line 1", "A WebVTT file starts with WEBVTT.")
    return _collected(_cues(text, time=_VTT_TIME, skips_header=True))


def read_srt(text: str) -> tuple[SaidLine, ...]:
    """The lines of a SubRip file; Problem 400 names the line that is wrong."""
    return _collected(_cues(text, time=_SRT_TIME, skips_header=False))


def _collected(cues: Iterator[_Cue]) -> tuple[SaidLine, ...]:
    lines: list[SaidLine] = []
    for cue in cues:
        for speaker, words in _voices(cue.payload):
            line = SaidLine(speaker=speaker, start_ms=cue.start_ms, end_ms=cue.end_ms, text=words)
            lines.append(checked(line, where=f"line {cue.number}"))
        require_countable(len(lines), where=f"line {cue.number}")
    if not lines:
        raise malformed("line 1", "The file holds no cue.")
    return tuple(lines)


def _cues(text: str, *, time: re.Pattern[str], skips_header: bool) -> Iterator[_Cue]:
    for index, block in enumerate(_blocks(text)):
        if skips_header and (index == 0 or block[0][1].split(" ")[0].rstrip(":") in _NOT_CUES):
            # The header block may hold cues directly below it in files that forget the empty line.
            if not any(_ARROW in line for _, line in block) or block[0][1].startswith("NOTE"):
                continue
            block = block[1:]  # noqa: PLW2901  what remains of the header block is a cue
        at = next((at for at, (_, line) in enumerate(block[:2]) if _ARROW in line), None)
        if at is None:
            raise malformed(f"line {block[0][0]}", f"A cue needs a line of times: start {_ARROW} end.")
        number, timing = block[at]
        start, _, rest = timing.partition(_ARROW)
        end = rest.split()[0] if rest.split() else ""
        yield _Cue(
            number=number,
            start_ms=_position(start.strip(), time=time, number=number),
            end_ms=_position(end, time=time, number=number),
            payload="\n".join(line for _, line in block[at + 1 :]),
        )


def _blocks(text: str) -> Iterator[list[tuple[int, str]]]:
    """Runs of non-empty lines, each line with its number from 1."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _position(written: str, *, time: re.Pattern[str], number: int) -> int:
    match = time.fullmatch(written)
    if match is None:
        raise malformed(f"line {number}", f"{written[:40]!r} is not a time of this format.")
    hours, minutes, seconds, fraction = match.groups()
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(fraction.ljust(3, "0"))


def _voices(payload: str) -> Iterator[tuple[str, str]]:
    """Speaker and words of each voice in a cue; one pair for a cue without voices."""
    parts = _VOICE.split(payload)
    if before := _plain_words(parts[0]):
        yield split_name(before) or ("", before)
    elif len(parts) == 1:
        yield "", ""
    for name, words in zip(parts[1::2], parts[2::2], strict=True):
        yield " ".join(html.unescape(name).split()), _plain_words(words)


def _plain_words(marked: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", marked)).split())
