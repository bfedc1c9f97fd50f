"""What an engine takes and gives: plain values, so that no engine sees the database.

All positions are integer milliseconds from the start of the recording (or of the clip, where said).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from meetings.audio.opening import Media

Progress = Callable[[float], None]
"""Called with a share of the work done, 0..1. It may raise to stop the work (lease lost, cancelled)."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word and when it was said."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of speech, as one line of a transcript. `words` is None where the engine knows no word times."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] | None = None


@dataclass(frozen=True, slots=True)
class Hearing:
    """What an engine heard. `language` is an ISO 639-1 code, or "" where the engine could not tell."""

    language: str
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a recording, cut where nobody speaks: [start_ms, end_ms)."""

    start_ms: int
    end_ms: int


class SpeechEngine(Protocol):
    """Turns speech into text.

    `name` and `model` are stored with the transcript. `longest_clip_ms` bounds what one call of `hear` takes.
    """

    name: str
    model: str
    longest_clip_ms: int

    def hear(self, *, media: Media, span: Span, language: str | None) -> Hearing:
        """Hear one span of a media file.

        Args:
            media: an audio or video file that PyAV can open: on this disk, or open and seekable.
            span: the part to hear; the times of the answer are relative to the *recording*, not to the span.
            language: ISO 639-1 code the speakers are known to use, or None to detect it.

        Raises:
            TransientError: the engine is busy or unreachable; try again.
            PermanentError: it will not work as configured, or the media cannot be decoded.
        """
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript as minutes see it. `id` is the segment's id, `speaker` may be empty."""

    id: str
    speaker: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where something was said: a segment of the transcript and the words in it."""

    segment: str
    start_ms: int
    quote: str


@dataclass(frozen=True, slots=True)
class Point:
    """One line of minutes. `owner` (a name) and `due_on` only mean something for action items."""

    text: str
    evidence: tuple[Evidence, ...]
    owner: str = ""
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the transcript the minutes rest on, and what was thrown away.

    `dropped` counts items by reason, e.g. {"unknown_segment": 2, "no_evidence": 1}.
    """

    segments_total: int
    segments_used: int
    truncated: bool = False
    dropped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """Minutes as an engine wrote them; every point cites at least one existing segment."""

    summary: tuple[Point, ...]
    topics: tuple[Point, ...]
    decisions: tuple[Point, ...]
    action_items: tuple[Point, ...]
    open_questions: tuple[Point, ...]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Brief:
    """What the minute taker is told beside the transcript.

    `held_on` anchors relative dates ("by Friday"); `people` are the participants' names; `language` an ISO 639-1 code.
    """

    title: str
    held_on: date
    language: str
    people: tuple[str, ...] = ()
    template: str = "corporate"


class MinuteTaker(Protocol):
    """Writes minutes from a whole transcript. `name` and `model` are stored with the minutes."""

    name: str
    model: str

    def draft(self, *, lines: Sequence[Line], brief: Brief, progress: Progress) -> Draft:
        """Write minutes.

        Raises:
            TransientError: the engine is busy or unreachable; try again.
            PermanentError: it will not work as configured, or it answered nothing usable.
        """
        ...
