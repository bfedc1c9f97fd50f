"""Decisions, promises and open questions: sentences that carry the marks of one, weighed, the strongest kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise, takewhile

from meetings.gateways.extraction.cues import Cue, Cues
from meetings.gateways.extraction.dates import due_on
from meetings.gateways.extraction.naming import Names
from meetings.gateways.extraction.reading import Sentence

ENOUGH = 1.5
_LONGEST_WORDS = 60
_OPEN_WITHIN = 3  # sentences after a question in which "we do not know yet" still speaks of it


@dataclass(frozen=True, slots=True)
class Found:
    """One entry found: the sentence, the words of it that count, how strong it is."""

    sentence: Sentence
    text: str
    weight: float
    owner: str = ""
    due_on: date | None = None
    also: tuple[Sentence, ...] = ()


def decisions(sentences: Sequence[Sentence], *, cues: Cues, most: int) -> list[Found]:
    """Find what was decided: at most `most`, in the order it was said."""
    found = []
    for sentence in sentences:
        if sentence.is_question or not _has_content(sentence, cues, least=2):
            continue
        weight = _weight(sentence.text, cues.decisions) - (0.5 if sentence.is_cut_off else 0)
        text = lead_cut(sentence.text, cues)
        weight += _substance(sentence, cues)
        if weight >= ENOUGH and not _compiled(cues.not_decisions).search(text):
            found.append(Found(sentence, text, weight))
    return strongest(found, most=most)


def actions(sentences: Sequence[Sentence], *, cues: Cues, names: Names, held_on: date, most: int) -> list[Found]:
    """Find who took on what by when: at most `most`, in the order it was said."""
    found: list[Found] = []
    for sentence in sentences:
        if not _has_content(sentence, cues, least=1):
            continue
        for clause, cue, named in _promises(sentence.text, cues, names):
            if _compiled(cues.not_actions).search(clause):
                continue
            day = due_on(clause, held_on=held_on, calendar=cues.calendar)
            weight = cue.weight + _substance(sentence, cues) + (0.8 if day else 0)
            if weight >= ENOUGH:
                owner = sentence.speaker if cue.owner == "speaker" else named
                found.append(Found(sentence, lead_cut(clause, cues), weight, owner=owner, due_on=day))
    return strongest(found, most=most)


def open_questions(
    sentences: Sequence[Sentence], *, cues: Cues | None, most: int, requests: frozenset[int] = frozenset()
) -> list[Found]:
    """Find questions that stayed open; where the language is not known, all longer questions.

    `requests` are the indices of sentences that only ask somebody to do something.
    """
    found: list[Found] = []
    for at, sentence in enumerate(sentences):
        if cues is None:
            if sentence.is_question and len(sentence.words) >= 4:
                found.append(Found(sentence, sentence.text, min(len(sentence.words), 20) / 20))
            continue
        if not sentence.is_question or len(sentence.words) < 4 or not _has_content(sentence, cues, least=1):
            continue
        following = sentences[at + 1 : at + 1 + _OPEN_WITHIN]
        replies = takewhile(lambda reply: not reply.is_question, following)  # a later doubt belongs to a later question
        text = lead_cut(sentence.text, cues)
        if sentence.index in requests or len(text.split()) < 4:
            continue
        doubt = next((reply for reply in replies if _compiled(cues.still_open).search(reply.text)), None)
        if doubt is not None:
            weight = 2 - 0.3 * (doubt.index - sentence.index) + _substance(sentence, cues)
            found.append(Found(sentence, text, weight, also=(doubt,)))
    return strongest(found, most=most)


def strongest(found: Iterable[Found], *, most: int) -> list[Found]:
    """Keep the heaviest, one of equal texts, and give them in the order they were said."""
    unique: dict[str, Found] = {}
    for item in found:
        key = " ".join(re.findall(r"\w+", item.text.lower()))
        if key not in unique or unique[key].weight < item.weight:
            unique[key] = item
    kept = sorted(unique.values(), key=lambda item: (-item.weight, item.sentence.index))[:most]
    return sorted(kept, key=lambda item: (item.sentence.index, item.sentence.text.find(item.text)))


def lead_cut(text: str, cues: Cues) -> str:
    """Take "Um, well, so" off the beginning; what stays is what was said."""
    cut = re.sub(rf"^(?:{cues.fillers}\b[\s,.\-]+)+(?=\w+\W+\w+)", "", text, flags=re.IGNORECASE).strip(" ,;-")
    return cut[:1].upper() + cut[1:] if cut else text


def _promises(text: str, cues: Cues, names: Names) -> list[tuple[str, Cue, str]]:
    """Give (clause, cue, named owner) for every promise; two promises of two people in one sentence are two clauses."""
    hits: list[tuple[int, Cue, str]] = []
    for cue in sorted(cues.actions, key=lambda cue: -cue.weight):
        for match in _compiled(cue.pattern, cues.doing, names.pattern).finditer(text):
            named = names.known(match.group("name")) if "{NAME}" in cue.pattern else ""
            if (cue.owner == "named" and not named) or _compiled(cues.subordinate).search(text[: match.start()]):
                continue
            if all(abs(match.start() - start) > 12 for start, _, _ in hits):
                hits.append((match.start(), cue, named))
    hits.sort(key=lambda hit: hit[0])
    if len(hits) < 2 or len({(cue.owner, named) for _, cue, named in hits if cue.owner != "nobody"}) < 2:
        best = max(hits, key=lambda hit: hit[1].weight, default=None)
        return [(text, best[1], best[2])] if best else []
    hits = [hit for hit in hits if hit[1].owner != "nobody"]
    edges = [0, *(start for start, _, _ in hits[1:]), len(text)]
    clauses = (text[left:right] for left, right in pairwise(edges))
    return [(_clause(clause), cue, named) for clause, (_, cue, named) in zip(clauses, hits, strict=True)]


def _clause(text: str) -> str:
    return re.sub(r"[\s,;]+(?:and|und|et|y|then|but)?[\s,;]*$", "", text.strip())


def _weight(text: str, cues: Iterable[Cue]) -> float:
    return max((cue.weight for cue in cues if _compiled(cue.pattern).search(text)), default=0.0)


def _has_content(sentence: Sentence, cues: Cues, *, least: int) -> bool:
    content = [word for word in sentence.words if word not in cues.stopwords]
    return len(content) >= least and 4 <= len(sentence.words) <= _LONGEST_WORDS


def _substance(sentence: Sentence, cues: Cues) -> float:
    """Up to half a point for saying something: the share of words that are not glue, and not being too long."""
    content = sum(word not in cues.stopwords for word in sentence.words)
    return min(0.5, content / max(8, len(sentence.words))) - (0.3 if len(sentence.words) > 35 else 0)


@lru_cache(maxsize=1024)
def _compiled(pattern: str, doing: str = "", names: str = "") -> re.Pattern[str]:
    return re.compile(pattern.replace("{DO}", doing).replace("{NAME}", names), re.IGNORECASE)
