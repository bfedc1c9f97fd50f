"""Whose name a word is: people known to be in the meeting, and words that can only be names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meetings.gateways.extraction.reading import Sentence

_NOT_NAMES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "god",
        "today",
        "tomorrow",
        "yesterday",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "english",
        "everyone",
        "nobody",
        "somebody",
        "someone",
        "people",
    ]
)


@dataclass(frozen=True, slots=True)
class Names:
    """Names that may own an action. `pattern` is a regular expression with one group, `name`."""

    pattern: str
    people: dict[str, str]

    def known(self, said: str) -> str:
        """Give the full name of the person meant by `said`; the word itself where only the transcript knows it."""
        return self.people.get(said.lower(), "")


def names_in(
    sentences: Sequence[Sentence], *, people: Iterable[str], stopwords: frozenset[str], by_capital: bool
) -> Names:
    """Gather the names of a meeting.

    Args:
        sentences: everything said.
        people: participants; the speakers are added. A first name stands for its person where it is one person's only.
        stopwords: words that are never names.
        by_capital: whether, in this language, a capital letter within a sentence marks a name.
    """
    full = list(dict.fromkeys([*people, *(sentence.speaker for sentence in sentences if sentence.speaker)]))
    said_small = {
        word for sentence in sentences for word in re.findall(r"[^\W\d_][\w'\-]+", sentence.text) if word[0].islower()
    }
    found: dict[str, str] = {}
    firsts: dict[str, set[str]] = {}
    for name in full:
        found[name.lower()] = name
        for part in re.findall(r"[^\W\d_][\w'\-]+", re.sub(r"\([^()]*\)", "", name)):
            if part.lower() not in said_small:  # "care" is no name, whoever is called Care
                firsts.setdefault(part.lower(), set()).add(name)
    for first, owners in firsts.items():
        if len(owners) == 1 and first not in stopwords and first not in _NOT_NAMES:
            found.setdefault(first, next(iter(owners)))
    if by_capital:
        for word in _capitalised(sentences, stopwords):
            found.setdefault(word.lower(), word)
    longest_first = sorted(found, key=len, reverse=True)
    pattern = "|".join(re.escape(name) for name in longest_first) or r"(?!)"
    return Names(pattern=rf"(?P<name>{pattern})", people=found)


def _capitalised(sentences: Sequence[Sentence], stopwords: frozenset[str]) -> list[str]:
    """Single words that are always written with a capital, also within a sentence."""
    lower: set[str] = set()
    upper: dict[str, int] = {}
    for sentence in sentences:
        for at, match in enumerate(re.finditer(r"(?<![\w'])[^\W\d_][\w'\-]+", sentence.text)):
            word = match.group()
            if word[0].islower():
                lower.add(word)
            elif at > 0 and word[1:].islower():
                upper[word] = upper.get(word, 0) + 1
    return [
        word
        for word in sorted(upper)
        if word.lower() not in lower and word.lower() not in stopwords and word.lower() not in _NOT_NAMES
    ]
