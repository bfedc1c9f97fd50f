"""Cuts spoken lines into captions: at most two rows of 42 characters, one after another, never two at a time.

Where word times are known a long line is cut by them, else in proportion to its letters. Every word is kept.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from meetings.renderers.contracts import SpokenLine

ROW = 42
"""Characters in a row, and two rows in a cue: what subtitle guides of broadcasters ask for."""
SHORTEST_MS = 200
"""What a cue lasts at the least; speakers who talk at once push each other on by this much."""
READABLE_MS = 1_000
"""What a cue lasts where the next one leaves it the room."""
JOINING = frozenset("\u200d\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption. `opens` marks the first of a line whose speaker did not speak the line before."""

    start_ms: int
    end_ms: int
    speaker: str
    rows: tuple[str, ...]
    opens: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word, or a part of one longer than a row; `offset` counts the letters (no spaces) before it."""

    text: str
    offset: int
    glued: bool


def cut(lines: Sequence[SpokenLine], *, named: bool = False) -> tuple[Cue, ...]:
    """Return the captions of a transcript, in order, not overlapping, each at least `SHORTEST_MS` long.

    Args:
        lines: segments in any order, overlapping or of no length as they may be.
        named: put "Speaker: " before the words when the speaker changes (for formats that cannot say it otherwise).
    """
    cues: list[Cue] = []
    before = ""
    for line in sorted(lines, key=lambda line: max(line.start_ms, 0)):
        label = f"{line.speaker}: " if named and line.speaker and line.speaker != before else ""
        opens = line.speaker != before
        for start, end, rows in _cut_line(line, label=label):
            cues.append(Cue(start, end, line.speaker, rows, opens))
            opens = False
        before = line.speaker if line.text else before
    return _in_sequence(cues)


def _in_sequence(cues: list[Cue]) -> tuple[Cue, ...]:
    starts: list[int] = []
    for cue in cues:
        starts.append(max(cue.start_ms, starts[-1] + SHORTEST_MS) if starts else cue.start_ms)
    placed = []
    for index, (cue, start) in enumerate(zip(cues, starts, strict=True)):
        end = max(cue.end_ms, start + READABLE_MS)
        if index + 1 < len(starts):
            end = min(end, starts[index + 1])
        placed.append(Cue(start, end, cue.speaker, cue.rows, cue.opens))
    return tuple(placed)


def _cut_line(line: SpokenLine, *, label: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    if not line.text:
        return
    pieces = list(_pieces(label + line.text))
    spoken = len("".join(line.text.split()))
    silent = len("".join(label.split()))
    begins, finishes = _clock(line, letters=spoken)
    for first, last in _chunks(pieces):
        rows = _rows(pieces[first : last + 1])
        start = max(pieces[first].offset - silent, 0)
        end = max(pieces[last].offset + len(pieces[last].text) - silent, start)
        yield begins(start), finishes(end), rows


def _pieces(text: str) -> Iterator[_Piece]:
    offset = 0
    for word in text.split():
        start = 0
        while start < len(word):
            end = min(start + ROW, len(word))
            while start + 1 < end < len(word) and (
                unicodedata.combining(word[end]) or {word[end], word[end - 1]} & JOINING
            ):
                end -= 1
            yield _Piece(word[start:end], offset, glued=start > 0)
            offset += end - start
            start = end


def _clock(line: SpokenLine, *, letters: int) -> tuple[Callable[[int], int], Callable[[int], int]]:
    """Return when what follows a count of letters begins, and when what precedes it ends, as two functions."""
    start, end = max(line.start_ms, 0), max(line.end_ms, line.start_ms, 0)
    words = [word for word in line.words or () if word.text.strip()]
    texts = ["".join(word.text.split()) for word in words]
    if words and "".join(texts) == "".join(line.text.split()):
        offsets = [0, *accumulate(map(len, texts))]

        def begins(count: int) -> int:
            return max(words[min(bisect_right(offsets, count), len(words)) - 1].start_ms, start)

        def finishes(count: int) -> int:
            return max(words[max(bisect_right(offsets, count - 1), 1) - 1].end_ms, start)

        return begins, finishes

    def share(count: int) -> int:
        return start + (end - start) * count // max(letters, 1)

    return share, share


def _chunks(pieces: list[_Piece]) -> Iterator[tuple[int, int]]:
    """Choose where cues end: few and full, rather at the end of a sentence or clause. Gives first and last piece."""
    columns = _columns(pieces)
    if _fits(columns, 0, len(pieces)):
        yield 0, len(pieces) - 1
        return
    costs: list[float] = [0.0]
    origins: list[int] = [0]
    for end in range(1, len(pieces) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            if not _fits(columns, start, end):
                break
            options.append(
                (costs[start] + _cost(pieces, end=end, length=columns[end - 1][1] - columns[start][0]), start)
            )
        cost, origin = min(options)
        costs.append(cost)
        origins.append(origin)
    spans = []
    end = len(pieces)
    while end > 0:
        spans.append((origins[end], end - 1))
        end = origins[end]
    yield from reversed(spans)


def _columns(pieces: list[_Piece]) -> list[tuple[int, int]]:
    """Return where each piece begins and ends if all stood in one row."""
    columns: list[tuple[int, int]] = []
    column = 0
    for index, piece in enumerate(pieces):
        column += 1 if index and not piece.glued else 0
        columns.append((column, column + len(piece.text)))
        column += len(piece.text)
    return columns


def _fits(columns: list[tuple[int, int]], start: int, end: int) -> bool:
    """Tell whether the pieces from `start` up to, not including, `end` fit two rows, filling the first one up."""
    if start == end:
        return True
    limit = columns[start][0] + ROW
    if columns[end - 1][1] <= limit:
        return True
    second = bisect_right(columns, limit, lo=start, hi=end, key=lambda column: column[1])
    return columns[end - 1][1] - columns[second][0] <= ROW


def _cost(pieces: list[_Piece], *, end: int, length: int) -> float:
    cost = 1.0 + ((2 * ROW - length) / (2 * ROW)) ** 2
    if end < len(pieces):
        cost -= 2 * _rest(pieces[end - 1])
        cost += 0.5 if pieces[end].glued else 0.0
    return cost


def _rest(piece: _Piece) -> float:
    """Tell how good a place the end of this piece is to stop reading."""
    mark = piece.text[-1]
    return 0.25 if mark in ".?!\u2026\u3002\u061f" else 0.125 if mark in ",;:\u3001\u060c" else 0.0


def _join(pieces: Sequence[_Piece]) -> str:
    return "".join(("" if piece.glued or not index else " ") + piece.text for index, piece in enumerate(pieces))


def _rows(pieces: list[_Piece]) -> tuple[str, ...]:
    """Return one row, or two that are even and part where one would take breath."""
    whole = _join(pieces)
    if len(whole) <= ROW:
        return (whole,)
    splits = []
    for middle in range(1, len(pieces)):
        rows = (_join(pieces[:middle]), _join(pieces[middle:]))
        if max(map(len, rows)) <= ROW:
            splits.append((abs(len(rows[0]) - len(rows[1])) - ROW * _rest(pieces[middle - 1]), rows))
    return min(splits)[1]
