"""From raw engine output to lines of a transcript: whole sentences, in order, in the recording's own time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meetings.gateways.contracts import Hearing, Span, Utterance, Word

_PAUSE_MS = 1_200  # after this much silence somebody begins anew, often somebody else
_LONGEST_MS = 20_000
_ENDS = (".", "?", "!", "…")
_ABBREVIATIONS = frozenset({"mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "e.g.", "i.e.", "vs."})


def placed(*, start_s: float, end_s: float, span: Span) -> tuple[int, int]:
    """Give a stretch told in seconds from the span's start as (start_ms, end_ms) of the recording, within the span."""
    start = min(max(span.start_ms + round(float(start_s) * 1000), span.start_ms), span.end_ms)
    end = min(max(span.start_ms + round(float(end_s) * 1000), start), span.end_ms)
    return start, end


def sentences(words: Sequence[Word]) -> tuple[Utterance, ...]:
    """Group words into utterances: at the end of a sentence, at a pause, and where a sentence grows too long."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and not _begins_anew(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    return tuple(
        Utterance(
            start_ms=group[0].start_ms,
            end_ms=group[-1].end_ms,
            text=" ".join(word.text for word in group),
            words=tuple(group),
        )
        for group in groups
    )


def ordered_words(words: Iterable[Word]) -> tuple[Word, ...]:
    """Make times run forward: engines let a word begin a little before its predecessor ended. Empty words go."""
    result: list[Word] = []
    floor = 0
    for word in words:
        text = cleaned(word.text)
        if text:
            start = max(word.start_ms, floor)
            result.append(Word(text=text, start_ms=start, end_ms=max(word.end_ms, start)))
            floor = start
    return tuple(result)


def ordered(utterances: Iterable[Utterance]) -> tuple[Utterance, ...]:
    """Sort by start, drop empty ones, and let no utterance end before it starts."""
    kept = (
        Utterance(
            start_ms=item.start_ms,
            end_ms=max(item.start_ms, item.end_ms),
            text=cleaned(item.text),
            words=item.words,
        )
        for item in utterances
        if cleaned(item.text)
    )
    return tuple(sorted(kept, key=lambda item: (item.start_ms, item.end_ms)))


def stitch(hearings: Sequence[Hearing]) -> Hearing:
    """Join the hearings of consecutive spans; the language is the one most of the talking was in."""
    spoken: dict[str, int] = {}
    for hearing in hearings:
        length = sum(len(item.text) for item in hearing.utterances)
        spoken[hearing.language] = spoken.get(hearing.language, 0) + length
    language = max(spoken, key=lambda code: (spoken[code], code)) if spoken else ""
    return Hearing(language=language, utterances=ordered(item for hearing in hearings for item in hearing.utterances))


def cleaned(text: str) -> str:
    """Collapse white space and drop NUL, which no database takes."""
    return " ".join(text.replace("\x00", " ").split())


def _begins_anew(group: list[Word], word: Word) -> bool:
    last = group[-1].text
    sentence_ended = last.endswith(_ENDS) and last.lower() not in _ABBREVIATIONS
    paused = word.start_ms - group[-1].end_ms > _PAUSE_MS
    return sentence_ended or paused or word.end_ms - group[0].start_ms > _LONGEST_MS
