"""What a reader gives, the bounds it holds, and how it says what is wrong with a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatvista.foundation.problems import Problem

MOST_LINES = 50_000
LONGEST_TEXT = 20_000
LONGEST_NAME = 200
MOST_SPEAKERS = 1_000
LATEST_MS = 10_000_000_000
"""Positions beyond this (about 115 days) are a mistake, not a meeting."""

_CONTROLS = {code: " " if chr(code).isspace() else None for code in (*range(1, 32), *range(127, 160))}
"""What is made of control characters (C0, C1): a blank where they part words, else nothing."""
_KEPT_IN_TEXT = {ord("\n"), ord("\t")}
_IN_TEXT = {code: made for code, made in _CONTROLS.items() if code not in _KEPT_IN_TEXT}


@dataclass(frozen=True, slots=True)
class SaidLine:
    """One line of a transcript: who (empty where unknown), when in milliseconds, and the words."""

    speaker: str
    start_ms: int
    end_ms: int
    text: str


def malformed(where: str, sentence: str) -> Problem:
    """The 400 for a file that cannot be read; `where` names the line or the member, e.g. `line 12`."""
    return Problem("transcript_malformed", f"{where}: {sentence}", status=400, fields={where: [sentence]})


def checked(line: SaidLine, *, where: str) -> SaidLine:
    """The line, once it is known to hold the bounds; Problem 400 naming the place otherwise.

    NUL is refused. Other control characters are taken out, as subtitle files hold stray ones; in the text, line breaks
    and tabs stay.
    """
    if line.end_ms < line.start_ms:
        raise malformed(where, "The end lies before the start.")
    if line.end_ms > LATEST_MS:
        raise malformed(where, f"A position cannot lie beyond {LATEST_MS} milliseconds.")
    if len(line.text) > LONGEST_TEXT:
        raise malformed(where, f"One line may hold {LONGEST_TEXT} characters.")
    if len(line.speaker) > LONGEST_NAME:
        raise malformed(where, f"A speaker's name may hold {LONGEST_NAME} characters.")
    if "\x00" in line.text or "\x00" in line.speaker:
        raise malformed(where, "Text cannot hold a NUL byte.")
    return replace(
        line,
        speaker=" ".join(line.speaker.translate(_CONTROLS).split()),
        text=line.text.translate(_IN_TEXT).strip(),
    )


def require_few_speakers(lines: Sequence[SaidLine]) -> tuple[SaidLine, ...]:
    """The lines, unless more names speak in them than a meeting can have; case does not count."""
    if len({line.speaker.casefold() for line in lines if line.speaker}) > MOST_SPEAKERS:
        raise malformed("speakers", f"One transcript may have {MOST_SPEAKERS} speakers.")
    return tuple(lines)


def require_countable(count: int, *, where: str) -> None:
    """Raise Problem 400 once there are more lines than one transcript may have."""
    if count > MOST_LINES:
        raise malformed(where, f"One transcript may have {MOST_LINES} segments.")
