"""Reading `{"segments": [{"speaker", "start_ms", "end_ms", "text"}]}`.

By hand instead of by nested serializers, which need some ten seconds for the 50,000 segments this takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meetings.readers.contracts import SaidLine, checked, malformed, require_countable, require_few_speakers

_MEMBERS = {"speaker", "start_ms", "end_ms", "text"}


def read_segments(value: Any) -> tuple[SaidLine, ...]:
    """The lines of a parsed `segments` list; Problem 400 names the first wrong member, e.g. `segments.3.end_ms`."""
    if not isinstance(value, list) or not value:
        raise malformed("segments", "Give a list of at least one segment.")
    require_countable(len(value), where="segments")
    return require_few_speakers(
        [_read_segment(segment, where=f"segments.{index}") for index, segment in enumerate(value)]
    )


def _read_segment(segment: Any, *, where: str) -> SaidLine:
    if not isinstance(segment, Mapping):
        raise malformed(where, "A segment is an object.")
    if unknown := sorted(set(segment) - _MEMBERS):
        raise malformed(f"{where}.{unknown[0]}"[:200], "A segment has speaker, start_ms, end_ms and text.")
    speaker = segment.get("speaker")
    if speaker is not None and not isinstance(speaker, str):
        raise malformed(f"{where}.speaker", "A speaker is a string or null.")
    text = segment.get("text")
    if not isinstance(text, str):
        raise malformed(f"{where}.text", "Text is a string.")
    line = SaidLine(
        speaker=" ".join((speaker or "").split()),
        start_ms=_position(segment, "start_ms", where=where),
        end_ms=_position(segment, "end_ms", where=where),
        text=text.strip(),
    )
    return checked(line, where=where)


def _position(segment: Mapping[str, Any], name: str, *, where: str) -> int:
    value = segment.get(name)
    # bool is an int to Python, and true is no position.
    if not isinstance(value, int) or isinstance(value, bool):
        raise malformed(f"{where}.{name}", "A position is an integer number of milliseconds.")
    if value < 0:
        raise malformed(f"{where}.{name}", "A position cannot be negative.")
    return value
