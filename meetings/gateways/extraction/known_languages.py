"""The languages whose marks of decisions and promises are known, and telling which one a transcript is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meetings.gateways.extraction.cues import Cues
from meetings.gateways.extraction.english import ENGLISH
from meetings.gateways.extraction.french import FRENCH
from meetings.gateways.extraction.german import GERMAN
from meetings.gateways.extraction.reading import Sentence
from meetings.gateways.extraction.spanish import SPANISH

_KNOWN: dict[str, Cues] = {cues.code: cues for cues in (ENGLISH, GERMAN, FRENCH, SPANISH)}
LANGUAGES = tuple(sorted(_KNOWN))
_SURE = 0.25  # share of glue words by which a language shows; speech has a half, another language's below a fifth


def cues_for(language: str, sentences: Sequence[Sentence]) -> Cues | None:
    """Give what is known of a language, told by its code ("en", "en-GB"), or by its words where the code is empty."""
    code = language.replace("_", "-").split("-")[0].lower()
    if code:
        return _KNOWN.get(code)
    words = Counter(word for sentence in sentences for word in sentence.words)
    total = max(1, sum(words.values()))
    shares = {
        code: sum(number for word, number in words.items() if word in cues.stopwords) / total
        for code, cues in _KNOWN.items()
    }
    best = max(sorted(shares), key=lambda code: shares[code])
    return _KNOWN[best] if shares[best] >= _SURE else None
