"""Reading WebVTT (https://www.w3.org/TR/webvtt1/) and SubRip. One segment per cue, in the order of the file.

A WebVTT cue with several `<v Name>` voices becomes one segment per voice, all with the times of the cue: one line
cannot have two speakers. Cues without a voice may name their speaker as `Name: text`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from meetings.readers.contracts import SaidLine, checked, malformed, require_countable, require_few_speakers
from meetings.readers.naming import split_name

_ARROW = "-->"
_VTT_TIME = re.compile(r"(?:(\d{2,6}):)?([0-5]\d):([0-5]\d)\.(\d{3})", re.ASCII)
_SRT_TIME = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)[,.](\d{1,3})", re.ASCII)
# Looking for a tag ends at the next one that opens, so that no character is looked at twice.
_TAG = re.compile(r"<([^<>]*)>")
_NOT_CUES = ("NOTE", "STYLE", "REGION")
_Block = list[tuple[int, str]]


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
    return require_few_speakers(lines)


def _cues(text: str, *, time: re.Pattern[str], skips_header: bool) -> Iterator[_Cue]:
    for index, block in enumerate(_blocks(text)):
        if skips_header and (index == 0 or block[0][1].split(" ", 1)[0].rstrip(":") in _NOT_CUES):
            below = _below_header(block)
            if below:
                yield _cue(below, time=time)
            continue
        yield _cue(block, time=time)


def _below_header(block: _Block) -> _Block:
    """The cue in a header block: files that forget the empty line hold one directly below it."""
    number, first = block[0]
    if first.startswith("NOTE"):
        return []
    if _ARROW in first:
        raise malformed(f"line {number}", f"A heading cannot hold {_ARROW}.")
    return block[1:] if any(_ARROW in line for _, line in block) else []


def _cue(block: _Block, *, time: re.Pattern[str]) -> _Cue:
    at = next((at for at, (_, line) in enumerate(block[:2]) if _ARROW in line), None)
    if at is None:
        raise malformed(f"line {block[0][0]}", f"A cue needs a line of times: start {_ARROW} end.")
    number, timing = block[at]
    start, _, rest = timing.partition(_ARROW)
    end = next(iter(rest.split(None, 1)), "")
    return _Cue(
        number=number,
        start_ms=_position(start.strip(), time=time, number=number),
        end_ms=_position(end, time=time, number=number),
        payload="\n".join(line for _, line in block[at + 1 :]),
    )


def _blocks(text: str) -> Iterator[_Block]:
    """Runs of non-empty lines, each line with its number from 1."""
    block: _Block = []
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
    name: str | None = None
    words: list[str] = []
    # Words and insides of tags by turns, words first and last.
    for at, part in enumerate(_TAG.split(payload)):
        if at % 2 == 0:
            words.append(part)
        elif (next_name := _voice(part)) is not None:
            yield from _said(name, words)
            name, words = next_name, []
    if name is None and not _plain(words):
        yield "", ""
    yield from _said(name, words)


def _voice(tag: str) -> str | None:
    """The name in a tag `v Name` or `v.class Name`; None for any other tag."""
    head, blank, name = tag.partition(next((letter for letter in tag if letter.isspace()), " "))
    is_voice = bool(blank) and head[:1] in {"v", "V"} and head[1:2] in {"", "."}
    return " ".join(html.unescape(name).split()) if is_voice else None


def _said(name: str | None, words: list[str]) -> Iterator[tuple[str, str]]:
    plain = _plain(words)
    if name is not None:
        yield name, plain
    elif plain:
        yield split_name(plain) or ("", plain)


def _plain(words: list[str]) -> str:
    return " ".join(html.unescape("".join(words)).split())
