"""What a meeting was about: where its subject changes, what each part is called, which sentences stand for it.

Parts are found as in TextTiling (Hearst 1997): the words before and after each gap are compared, and the deepest
valleys of likeness are cuts. Sentences are weighed against the centroid of their part and of the whole (Radev 2004).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from meetings.gateways.extraction.reading import Sentence

_WINDOW = 12
_SHORTEST_PART = 8
_PHRASES = 2
_CELLS = 10_000_000
_COMMON = 0.12  # in a language we do not know, a word in this share of sentences is glue

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Theme:
    """One part of the meeting: [first, last] sentence, its label made of words said in it, and where they were said."""

    first: int
    last: int
    label: str
    sentence: Sentence


class Themes:
    """The content words of a meeting as weighted vectors, one per sentence."""

    def __init__(
        self, sentences: Sequence[Sentence], *, stopwords: frozenset[str], determiners: frozenset[str] = frozenset()
    ) -> None:
        self.sentences = sentences
        self._determiners = determiners
        self._stopwords = stopwords or _glue(sentences)
        self.content = [
            [word for word in sentence.words if word not in self._stopwords and len(word) > 1 and not word.isdigit()]
            for sentence in sentences
        ]
        frequency = Counter(word for words in self.content for word in set(words))
        count = max(1, len(sentences))
        # The more sentences, the fewer words: forty megabytes at the most, whatever the length of the meeting.
        room = max(200, min(2_000, _CELLS // count))
        common = sorted((word for word, number in frequency.items() if number > 1), key=lambda w: (-frequency[w], w))
        self._index = {word: at for at, word in enumerate(common[:room])}
        self._idf = {word: float(np.log(1 + count / frequency[word])) for word in frequency}
        self.vectors = self._weighted()

    def parts(self, *, most: int) -> list[tuple[int, int]]:
        """Cut the meeting into at most `most` parts; (first, last) sentence of each, covering all."""
        count = len(self.sentences)
        depths = self._depths()
        threshold = float(depths.mean() + depths.std() / 2) if len(depths) else 0.0
        cuts: list[int] = []
        for gap in np.argsort(-depths, kind="stable"):
            at = int(gap) + 1
            far = all(abs(at - cut) >= _SHORTEST_PART for cut in (0, *cuts, count))
            if depths[gap] >= threshold and depths[gap] > 0 and far:
                cuts.append(at)
            if len(cuts) + 1 >= most:
                break
        edges = [0, *sorted(cuts), count]
        return [(left, right - 1) for left, right in pairwise(edges) if right > left]

    def themes(self, *, most: int) -> list[Theme]:
        """Name the parts by the phrases that are said much in them and little elsewhere."""
        parts = self.parts(most=most)
        spread = Counter(
            word for first, last in parts for word in {w for c in self.content[first : last + 1] for w in c}
        )
        found: list[Theme] = []
        for first, last in parts:
            phrases = self._phrases(first, last, spread=spread, parts=len(parts))
            if phrases:
                label = ", ".join(phrases)
                # A phrase is made of bare words: with the marks between them no sentence need hold it as it is.
                at = next(
                    (
                        index
                        for index in range(first, last + 1)
                        if phrases[0].lower() in self.sentences[index].text.lower()
                    ),
                    first,
                )
                found.append(Theme(first, last, label[:1].upper() + label[1:], self.sentences[at]))
        return found

    def centrality(self, parts: Sequence[tuple[int, int]]) -> npt.NDArray[np.float64]:
        """How much each sentence is about what its part, and the whole, is about: 0..1."""
        scores = np.zeros(len(self.sentences))
        if not self.vectors.size:
            return scores
        whole = _unit(self.vectors.sum(axis=0))
        for first, last in parts:
            block = self.vectors[first : last + 1]
            scores[first : last + 1] = 0.6 * (block @ _unit(block.sum(axis=0))) + 0.4 * (block @ whole)
        return scores

    def _weighted(self) -> Vectors:
        vectors = np.zeros((len(self.sentences), len(self._index)), dtype=np.float32)
        for row, words in enumerate(self.content):
            for word in words:
                if word in self._index:
                    vectors[row, self._index[word]] += self._idf[word]
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors

    def _depths(self) -> npt.NDArray[np.float64]:
        count = len(self.sentences)
        if count < 2 * _SHORTEST_PART or not self.vectors.size:
            return np.zeros(0)
        start = np.zeros((1, self.vectors.shape[1]), dtype=np.float32)
        sums = np.vstack((start, np.cumsum(self.vectors, axis=0)))
        gaps = np.arange(1, count)
        before = sums[gaps] - sums[np.maximum(gaps - _WINDOW, 0)]
        after = sums[np.minimum(gaps + _WINDOW, count)] - sums[gaps]
        norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        likeness = np.divide((before * after).sum(axis=1), norms, out=np.zeros(count - 1), where=norms > 0)
        return _rises(likeness) + _rises(likeness[::-1])[::-1]

    def _phrases(self, first: int, last: int, *, spread: Counter[str], parts: int) -> list[str]:
        counts: Counter[str] = Counter()
        named: set[str] = set()
        shown: dict[str, Counter[str]] = {}
        for sentence in self.sentences[first : last + 1]:
            for phrase, is_named in self._candidates(sentence):
                counts[phrase.lower()] += 1
                named |= {phrase.lower()} if is_named else set()
                shown.setdefault(phrase.lower(), Counter())[phrase] += 1
        scored = sorted(
            (
                # What stands after "the" or "our" somewhere is a thing; the rest may be "is open", "will order".
                (self._phrase_score(phrase, counts, spread, parts) * (1.0 if phrase in named else 0.25), phrase)
                for phrase in counts
            ),
            key=lambda item: (-item[0], item[1]),
        )
        chosen: list[str] = []
        for _, phrase in scored:
            if not any(set(phrase.split()) & set(other.split()) for other in chosen):
                chosen.append(phrase)
            if len(chosen) == _PHRASES:
                break
        return [max(shown[phrase], key=lambda form: (shown[phrase][form], form)) for phrase in chosen]

    def _phrase_score(self, phrase: str, counts: Counter[str], spread: Counter[str], parts: int) -> float:
        words, number = phrase.split(), counts[phrase]
        rare = sum(float(np.log(1 + parts / max(1, spread[word]))) for word in words) / len(words)
        # A phrase of two words said twice says more than one word said three times.
        return (number - 0.5) * rare * (1.0, 1.9, 2.2)[len(words) - 1] + 0.25 * rare * sum(
            min(counts[word] - 1, 4) for word in words if counts[word]
        ) / len(words) * (len(words) > 1)

    def _candidates(self, sentence: Sentence) -> list[tuple[str, bool]]:
        """Give runs of one to three content words, and whether a determiner stands before (always, where unknown)."""
        found: list[tuple[str, bool]] = []
        for run in re.split(r"[^\w\s'\-]+", sentence.text):
            kept: list[str] = []
            is_named = not self._determiners
            for bare in [*run.split(), ""]:
                word = bare.strip("'-_")
                if word and word.lower() not in self._stopwords and len(word) > 2 and not word[0].isdigit():
                    kept.append(word)
                    continue
                for size in (1, 2, 3):
                    starts = range(len(kept) - size + 1)
                    found += [(" ".join(kept[at : at + size]), is_named) for at in starts]
                kept = []
                is_named = not self._determiners or word.lower() in self._determiners
        return [(phrase, is_named) for phrase, is_named in found if len(phrase) > 3]


def _rises(likeness: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far likeness rises from each gap to the peak before it, going back for as long as it does not fall."""
    # One pass: the peak of a gap is that of the gap before it, or itself. A walk from each would take its square.
    peaks = likeness.copy()
    for at in range(1, len(likeness)):
        if likeness[at - 1] >= likeness[at]:
            peaks[at] = peaks[at - 1]
    return peaks - likeness


def _unit(vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    norm = float(np.linalg.norm(vector))
    return np.asarray(vector / norm if norm else vector, dtype=np.float32)


def _glue(sentences: Sequence[Sentence]) -> frozenset[str]:
    frequency = Counter(word for sentence in sentences for word in set(sentence.words))
    return frozenset(word for word, number in frequency.items() if number > max(3, _COMMON * len(sentences)))
