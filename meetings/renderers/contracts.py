"""What a renderer takes and gives: plain values, so that no renderer sees the database.

Positions are integer milliseconds from the start of the recording. Text is data: nothing in it is ever markup.
An unknown speaker, owner or engine is the empty string and is not printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who took part; `role` is host, co_host, participant or observer, or empty."""

    name: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """The meeting a document is about.

    `started_at` and `ended_at` are aware instants, shown in `timezone` (an IANA name; UTC where it is unknown). `url`
    is where the meeting can be seen, printed only when it is http or https.
    """

    title: str
    meeting_id: str
    organization: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    timezone: str = "UTC"
    participants: tuple[Person, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word and when it was said."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One segment of a transcript; `words` is None where no word times are known."""

    speaker: str
    start_ms: int
    end_ms: int
    text: str
    words: tuple[SpokenWord, ...] | None = None


@dataclass(frozen=True, slots=True)
class TranscriptDocument:
    """A transcript to render. `language` is an ISO 639-1 code or empty; `generated_at` is printed where given."""

    meeting: Heading
    language: str
    engine: str
    model: str
    duration_ms: int
    lines: tuple[SpokenLine, ...]
    generated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """The moment an entry of the minutes rests on, and the words said there."""

    speaker: str
    start_ms: int
    quote: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of minutes. `owner`, `due_on` and `status` only mean something for action items."""

    text: str
    evidence: tuple[Citation, ...] = ()
    owner: str = ""
    due_on: date | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the transcript the minutes rest on; `dropped` counts entries thrown away for want of evidence."""

    segments_total: int = 0
    segments_used: int = 0
    truncated: bool = False
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class MinutesDocument:
    """Minutes to render. `status` is that of the minutes: draft, in_review, approved, published."""

    meeting: Heading
    engine: str
    model: str
    status: str
    language: str
    summary: tuple[Entry, ...] = ()
    topics: tuple[Entry, ...] = ()
    decisions: tuple[Entry, ...] = ()
    action_items: tuple[Entry, ...] = ()
    open_questions: tuple[Entry, ...] = ()
    coverage: Coverage = Coverage()
    generated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished document: its bytes, its media type and the extension its file name should have (no dot)."""

    content: bytes
    media_type: str
    extension: str
