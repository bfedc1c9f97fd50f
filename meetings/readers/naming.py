"""Telling `Hana Sato: Good morning` (a speaker and what they said) from `We meet at 10:30` and `Note: bring cake`."""

from __future__ import annotations

import re

_NAMED = re.compile(r"(?P<name>[^:\n\t]{1,60}?)\s*[:\uff1a](?:\s+(?P<text>\S.*)?)?", re.DOTALL)
_NOT_IN_NAMES = re.compile(r"[?!,;\"<>{}=/\\]")
_NO_NAMES = frozenset({"note", "notes", "nb", "ps", "http", "https", "agenda", "time", "date", "warning", "example"})
MOST_WORDS = 5


def split_name(line: str) -> tuple[str, str] | None:
    """Name and words of a line that names its speaker; None for a line that does not.

    A name is at most five words, starts with anything but a lower-case letter and holds no punctuation of sentences;
    scripts without case are therefore names too.
    """
    match = _NAMED.fullmatch(line.strip())
    if match is None:
        return None
    name = " ".join(match["name"].split())
    words = name.split(" ")
    if not name or len(words) > MOST_WORDS or _NOT_IN_NAMES.search(name) or name.lower() in _NO_NAMES:
        return None
    if name[0].islower() or not any(character.isalpha() for character in name):
        return None
    return name, (match["text"] or "").strip()
