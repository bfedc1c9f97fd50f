"""Reading plain text: `Name: text`, one turn a line.

Plain text knows no times. So that order, captions and citations mean something, each segment is laid after the one
before it at a pace of speech (150 words a minute): the positions are estimates, which the model `txt` of the
transcript says. A line without a name that directly follows a turn continues it; after an empty line it is a
segment of its own, of nobody known.
"""

from __future__ import annotations

from meetings.readers.contracts import SaidLine, checked, malformed, require_countable, require_few_speakers
from meetings.readers.naming import split_name

MS_PER_WORD = 400
"""150 words a minute: the pace commonly given for presentations in English."""
SHORTEST_MS = 400


def read_plain(text: str) -> tuple[SaidLine, ...]:
    """The turns of a plain text, in order; Problem 400 names the line."""
    turns: list[tuple[int, str, list[str]]] = []
    may_continue = False
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line:
            may_continue = False
            continue
        named = split_name(line)
        if named is None and may_continue:
            turns[-1][2].append(line)
            continue
        speaker, words = named or ("", line)
        turns.append((number, speaker, [words] if words else []))
        may_continue = True
        require_countable(len(turns), where=f"line {number}")
    if not turns:
        raise malformed("line 1", "The text holds no line.")
    return _laid_out(turns)


def _laid_out(turns: list[tuple[int, str, list[str]]]) -> tuple[SaidLine, ...]:
    lines = []
    position = 0
    for number, speaker, parts in turns:
        said = " ".join(parts)
        end = position + max(SHORTEST_MS, MS_PER_WORD * len(said.split()))
        line = SaidLine(speaker=speaker, start_ms=position, end_ms=end, text=said)
        lines.append(checked(line, where=f"line {number}"))
        position = end
    return require_few_speakers(lines)
