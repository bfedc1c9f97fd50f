"""Minutes without a language model: the sentences that matter, as they were said, each with who said it and when.

It invents nothing and understands nothing: decisions, promises and open questions are recognised by the words that mark
them in the languages of `LANGUAGES`; in other languages only key moments, topics and questions are given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from meetings.gateways.contracts import Brief, Coverage, Draft, Evidence, Line, Point, Progress
from meetings.gateways.extraction.cues import Cues
from meetings.gateways.extraction.known_languages import LANGUAGES, cues_for
from meetings.gateways.extraction.naming import names_in
from meetings.gateways.extraction.points import Found, actions, decisions, lead_cut, open_questions
from meetings.gateways.extraction.reading import Sentence, read
from meetings.gateways.extraction.themes import Themes

__all__ = ["LANGUAGES", "ExtractiveMinutes"]

MOST_DECISIONS, MOST_ACTIONS, MOST_QUESTIONS, MOST_TOPICS, MOST_MOMENTS = 12, 20, 10, 10, 7
_LIKE_ANOTHER = 0.55


class ExtractiveMinutes:
    """The engine for a machine without a key; a two-hour meeting takes it about a second."""

    name = "extractive"
    model = "chatvista-extractive-1"

    def draft(self, *, lines: Sequence[Line], brief: Brief, progress: Progress) -> Draft:
        """Write minutes; see `contracts.MinuteTaker`. It reads every line and never fails on what was said."""
        sentences = read(lines)
        cues = cues_for(brief.language, sentences)
        themes = (
            Themes(sentences, stopwords=cues.stopwords, determiners=cues.determiners)
            if cues
            else Themes(sentences, stopwords=frozenset())
        )
        progress(0.4)
        found_decisions: list[Found] = []
        found_actions: list[Found] = []
        if cues:
            names = names_in(
                sentences, people=brief.people, stopwords=cues.stopwords, by_capital=cues.capitalised_names
            )
            found_decisions = decisions(sentences, cues=cues, most=MOST_DECISIONS)
            found_actions = actions(sentences, cues=cues, names=names, held_on=brief.held_on, most=MOST_ACTIONS)
        requests = frozenset(item.sentence.index for item in found_actions)
        questions = open_questions(sentences, cues=cues, most=MOST_QUESTIONS, requests=requests)
        progress(0.7)
        minutes = max(1.0, (lines[-1].end_ms - lines[0].start_ms) / 60_000) if lines else 1.0
        most_topics = max(2, min(MOST_TOPICS, round(minutes / 5), len(sentences) // 8))
        marked = {item.sentence.index for item in (*found_decisions, *found_actions)}
        draft = Draft(
            summary=tuple(_moment(item, lines, cues) for item in _moments(themes, cues, marked, most=most_topics)),
            topics=tuple(
                Point(text=theme.label, evidence=_evidence([theme.sentence], lines))
                for theme in themes.themes(most=most_topics)
            ),
            decisions=tuple(_point(item, lines) for item in found_decisions),
            action_items=tuple(_point(item, lines) for item in found_actions),
            open_questions=tuple(_point(item, lines) for item in questions),
            coverage=Coverage(segments_total=len(lines), segments_used=len(lines)),
        )
        progress(1.0)
        return draft


def _moments(themes: Themes, cues: Cues | None, marked: set[int], *, most: int) -> list[Sentence]:
    """Pick sentences that stand for the meeting: the most central of each part first, none like another."""
    parts = themes.parts(most=most)
    scores = themes.centrality(parts)
    ranked: list[tuple[float, int]] = []
    for sentence in themes.sentences:
        content = len(set(themes.content[sentence.index]))
        if content < 4 or not 6 <= len(sentence.words) <= 50 or sentence.is_question:
            continue
        fit = min(1.0, content / 8) * content / len(sentence.words) * (0.6 if sentence.is_cut_off else 1.0)
        ceremony = 0.5 if cues and re.search(cues.ceremony, sentence.text, re.IGNORECASE) else 1.0
        score = float(scores[sentence.index]) * fit * ceremony * (1.15 if sentence.index in marked else 1.0)
        ranked.append((score, sentence.index))
    ranked.sort(key=lambda item: (-item[0], item[1]))
    chosen: list[int] = []
    limit = max(3, min(MOST_MOMENTS, len(themes.sentences) // 5))
    share = max(1, -(-limit // max(1, len(parts))))
    for _, index in ranked:
        part = next(number for number, (first, last) in enumerate(parts) if first <= index <= last)
        first, last = parts[part]
        full = sum(first <= other <= last for other in chosen) >= share
        if full or any(float(themes.vectors[index] @ themes.vectors[other]) > _LIKE_ANOTHER for other in chosen):
            continue
        chosen.append(index)
        if len(chosen) == limit:
            break
    if not chosen and themes.sentences:
        # A few short words are a meeting too: the sentence that says the most stands for it.
        chosen = [max(themes.sentences, key=lambda one: (len(set(themes.content[one.index])), -one.index)).index]
    return [themes.sentences[index] for index in sorted(chosen)]


def _moment(sentence: Sentence, lines: Sequence[Line], cues: Cues | None) -> Point:
    text = lead_cut(sentence.text, cues) if cues else sentence.text
    return Point(text=text, evidence=_evidence([sentence], lines))


def _point(item: Found, lines: Sequence[Line]) -> Point:
    return Point(
        text=item.text,
        evidence=_evidence([item.sentence, *item.also], lines),
        owner=item.owner,
        due_on=item.due_on,
    )


def _evidence(sentences: Sequence[Sentence], lines: Sequence[Line]) -> tuple[Evidence, ...]:
    """Quote each sentence at the line it begins in; a sentence over several lines quotes those lines."""
    found: list[Evidence] = []
    for sentence in sentences:
        for index in sentence.lines:
            quote = sentence.quote if len(sentence.lines) == 1 else " ".join(lines[index].text.split())
            found.append(Evidence(segment=lines[index].id, start_ms=lines[index].start_ms, quote=quote))
    return tuple(dict.fromkeys(found))
