"""Judging what a model wrote: only entries that rest on lines of our transcript stay, and every loss is counted."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from meetings.gateways.contracts import Evidence, Line, Point
from meetings.gateways.minute_wording import LIMITS, LISTS
from meetings.gateways.stitching import cleaned

_REFERENCE = re.compile(r"\[?L?(\d{1,7})\]?")
_LONGEST_TEXT = 1_000
_LONGEST_NAME = 120
_MOST_EVIDENCE = 6


class UnusableError(Exception):
    """The answer is not minutes at all: no JSON, or not the shape that was asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One judged entry: `lines` are the numbers (from 1) of existing lines."""

    text: str
    lines: tuple[int, ...]
    owner: str = ""
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The entries of one answer by list, and what was dropped from it, by reason."""

    lists: Mapping[str, tuple[Entry, ...]]
    dropped: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, list[dict[str, object]]]:
        """The same as plain values, in the shape of an answer."""
        return {
            name: [
                {
                    "text": entry.text,
                    "lines": [f"L{number}" for number in entry.lines],
                    **({"owner": entry.owner, "due_on": _iso(entry.due_on)} if name == "action_items" else {}),
                }
                for entry in entries
            ]
            for name, entries in self.lists.items()
        }


def judge(answer: str, *, known: range | frozenset[int]) -> Judged:
    """Read an answer and keep what cites lines in `known`.

    Raises:
        UnusableError: nothing can be made of it, or nothing of what it holds can be kept.
    """
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise UnusableError("not JSON") from error
    if not isinstance(data, dict) or not any(isinstance(data.get(name), list) for name in LISTS):
        raise UnusableError("not the shape that was asked for")
    dropped: Counter[str] = Counter()
    lists = {name: _entries(data.get(name), name=name, known=known, dropped=dropped) for name in LISTS}
    if dropped and not any(lists.values()):
        raise UnusableError("not one entry cites the transcript")
    return Judged(lists=lists, dropped=dropped)


def joined(parts: Sequence[Judged]) -> Judged:
    """Lay the entries of parts end to end, without a model: equal texts become one, lists stay within their limits."""
    dropped: Counter[str] = Counter()
    for part in parts:
        dropped.update(part.dropped)
    lists: dict[str, tuple[Entry, ...]] = {}
    for name in LISTS:
        seen: dict[str, Entry] = {}
        for part in parts:
            for entry in part.lists[name]:
                key = entry.text.casefold()
                both = sorted({*(seen[key].lines if key in seen else ()), *entry.lines})
                seen[key] = replace(seen.get(key, entry), lines=tuple(both[:_MOST_EVIDENCE]))
        lists[name] = _bounded(list(seen.values()), name=name, dropped=dropped)
    return Judged(lists=lists, dropped=dropped)


def as_points(entries: Sequence[Entry], *, lines: Sequence[Line]) -> tuple[Point, ...]:
    """Turn entries into points; the quotes are our transcript's words, whatever the model believes was said."""
    return tuple(
        Point(
            text=entry.text,
            evidence=tuple(
                Evidence(segment=line.id, start_ms=line.start_ms, quote=cleaned(line.text))
                for line in (lines[number - 1] for number in entry.lines)
            ),
            owner=entry.owner,
            due_on=entry.due_on,
        )
        for entry in entries
    )


def _entries(items: Any, *, name: str, known: range | frozenset[int], dropped: Counter[str]) -> tuple[Entry, ...]:
    if not isinstance(items, list):
        dropped["wrong_type"] += 1
        return ()
    found = [entry for item in items if (entry := _entry(item, name=name, known=known, dropped=dropped))]
    return _bounded(found, name=name, dropped=dropped)


def _entry(item: Any, *, name: str, known: range | frozenset[int], dropped: Counter[str]) -> Entry | None:
    if not isinstance(item, dict) or not isinstance(item.get("text"), str) or not isinstance(item.get("lines"), list):
        dropped["wrong_type"] += 1
        return None
    text = cleaned(item["text"])[:_LONGEST_TEXT]
    cited = [_number(reference) for reference in item["lines"]]
    existing = sorted({number for number in cited if number is not None and number in known})
    unknown = sum(1 for number in cited if number is None or number not in known)
    if unknown:
        dropped["unknown_segment"] += unknown
    if not text or not existing:
        dropped["no_evidence" if text else "no_text"] += 1
        return None
    if name != "action_items":
        return Entry(text=text, lines=tuple(existing[:_MOST_EVIDENCE]))
    owner = item.get("owner")
    return Entry(
        text=text,
        lines=tuple(existing[:_MOST_EVIDENCE]),
        owner=cleaned(owner)[:_LONGEST_NAME] if isinstance(owner, str) else "",
        due_on=_day(item.get("due_on"), dropped=dropped),
    )


def _bounded(entries: list[Entry], *, name: str, dropped: Counter[str]) -> tuple[Entry, ...]:
    if len(entries) > LIMITS[name]:
        dropped["over_limit"] += len(entries) - LIMITS[name]
    return tuple(entries[: LIMITS[name]])


def _number(reference: Any) -> int | None:
    if isinstance(reference, int) and not isinstance(reference, bool):
        return reference
    match = _REFERENCE.fullmatch(reference.strip()) if isinstance(reference, str) else None
    return int(match.group(1)) if match else None


def _day(value: Any, *, dropped: Counter[str]) -> date | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        dropped["invalid_due_on"] += 1
        return None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
