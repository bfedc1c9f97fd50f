"""Telling `Hana Sato: Good morning` (a speaker and what they said) from `We meet at 10:30` and `Note: bring cake`."""

from __future__ import annotations

import re

_COLON = re.compile("[:\uff1a]")
_NOT_IN_NAMES = re.compile(r"[?!,;\"<>{}=/\\]")
_NO_NAMES = frozenset({"note", "notes", "nb", "ps", "http", "https", "agenda", "time", "date", "warning", "example"})
MOST_WORDS = 5
LONGEST_NAME = 60


def split_name(line: str) -> tuple[str, str] | None:
    """Name and words of a line that names its speaker; None for a line that does not.

    A name is at most five words, starts with anything but a lower-case letter and holds no punctuation of sentences;
    scripts without case are therefore names too.
    """
    line = line.strip()
    # Only so far: a line may be as long as the file.
    colon = _COLON.search(line, 0, LONGEST_NAME + 8)
    if colon is None:
        return None
    raw, said = line[: colon.start()].rstrip(), line[colon.end() :]
    if len(raw) > LONGEST_NAME or "\n" in raw or "\t" in raw or not (said == "" or said[0].isspace()):
        return None
    name = " ".join(raw.split())
    if not name or len(name.split(" ")) > MOST_WORDS or _NOT_IN_NAMES.search(name) or name.lower() in _NO_NAMES:
        return None
    if name[0].islower() or not any(character.isalpha() for character in name):
        return None
    return name, said.strip()
