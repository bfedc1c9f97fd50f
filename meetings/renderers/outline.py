"""What a document says and in which order, before any format: the cover, the sections, the turns, the closing note.

Every readable format (PDF, DOCX, web page, Markdown, text) prints this outline, so that none says more than another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from meetings.renderers.contracts import Citation, Coverage, Entry, MinutesDocument, SpokenLine, TranscriptDocument
from meetings.renderers.moments import instant, long_date, stamp, when
from meetings.renderers.wording import Wording, wording_for

PAUSE_MS = 4_000
"""A silence after which the same speaker starts a new turn."""
TURN_LETTERS = 600
"""Letters after which a turn is broken, so that the next time stamp is never far."""

REVIEWED = frozenset({"approved", "published"})
MANNERS: dict[str, Literal["prose", "list", "table"]] = {"summary": "prose", "action_items": "table"}


@dataclass(frozen=True, slots=True)
class Proof:
    """Where an entry was said. `quote` is empty when it would only repeat the entry."""

    stamp: str
    speaker: str
    quote: str

    @property
    def line(self) -> str:
        """The proof as one line of text."""
        source = " ".join(part for part in (self.stamp, self.speaker) if part)
        return f"{source}: {self.quote}" if self.quote else source


@dataclass(frozen=True, slots=True)
class Item:
    """One entry ready to print: texts only, `due` and `status` in words."""

    text: str
    proofs: tuple[Proof, ...]
    owner: str = ""
    due: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the minutes: prose, a list, or the table of action items. Never empty."""

    title: str
    manner: Literal["prose", "list", "table"]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says without a longer pause: one paragraph of a transcript.

    `mark` is set on the first turn after each round time (10:00, 20:00, ...): a heading to find one's way by.
    """

    stamp: str
    speaker: str
    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Cover:
    """What stands at the top: the kind of document, the title, its status, and lines about the meeting."""

    kind: str
    title: str
    state: str
    when: str
    organization: str
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A whole document in words. Minutes have `sections`, transcripts have `turns`; `empty` says so when neither."""

    wording: Wording
    cover: Cover
    sections: tuple[Section, ...]
    turns: tuple[Turn, ...]
    note: tuple[str, ...]
    url: str
    empty: str


def outline_minutes(document: MinutesDocument) -> Outline:
    """Lay out minutes in their own language as far as we have words; sections without entries are left out."""
    wording = wording_for(document.language)
    sections = []
    for name in ("summary", "decisions", "action_items", "open_questions", "topics"):
        entries: tuple[Entry, ...] = getattr(document, name)
        items = tuple(_item(entry, wording=wording) for entry in entries if entry.text)
        if items:
            sections.append(Section(getattr(wording, name), MANNERS.get(name, "list"), items))
    said = wording.reviewed if document.status in REVIEWED else wording.extracted
    note = [said.format(engine=_engine(document)), *_coverage(document.coverage, wording=wording)]
    return Outline(
        wording=wording,
        cover=_cover(document, kind=wording.minutes, state=wording.state(document.status), wording=wording),
        sections=tuple(sections),
        turns=(),
        note=(*note, *_generated(document, wording=wording)),
        url=_web_address(document.meeting.url),
        empty=wording.nothing,
    )


def outline_transcript(document: TranscriptDocument) -> Outline:
    """Lay out a transcript in turns."""
    wording = wording_for(document.language)
    note = [wording.written_down.format(engine=_engine(document))] if document.engine else []
    return Outline(
        wording=wording,
        cover=_cover(document, kind=wording.transcript, state=stamp(document.duration_ms), wording=wording),
        sections=(),
        turns=take_turns(document.lines),
        note=(*note, *_generated(document, wording=wording)),
        url=_web_address(document.meeting.url),
        empty=wording.silence,
    )


def take_turns(lines: tuple[SpokenLine, ...]) -> tuple[Turn, ...]:
    """Join the lines one speaker says in a row, breaking at a pause and before a paragraph grows too long."""
    spoken = [line for line in lines if line.text]
    step = _mark_step(max((line.end_ms for line in spoken), default=0))
    turns: list[Turn] = []
    marked = 0
    for group in _groups(spoken):
        first = group[0]
        passed = max(first.start_ms, 0) // step * step
        mark = stamp(passed) if passed > marked else ""
        marked = max(marked, passed)
        turns.append(Turn(stamp(first.start_ms), first.speaker, " ".join(line.text for line in group), mark))
    return tuple(turns)


def _groups(spoken: list[SpokenLine]) -> list[list[SpokenLine]]:
    groups: list[list[SpokenLine]] = []
    letters = 0
    for line in spoken:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and line.speaker == last.speaker
            and line.start_ms - last.end_ms < PAUSE_MS
            and letters + len(line.text) <= TURN_LETTERS
        ):
            groups[-1].append(line)
            letters += len(line.text)
        else:
            groups.append([line])
            letters = len(line.text)
    return groups


def _mark_step(duration_ms: int) -> int:
    minutes = duration_ms // 60_000
    return 60_000 * (5 if minutes <= 20 else 10 if minutes <= 120 else 30)


def _item(entry: Entry, *, wording: Wording) -> Item:
    return Item(
        text=entry.text,
        proofs=tuple(_proof(citation, entry=entry, wording=wording) for citation in entry.evidence),
        owner=entry.owner,
        due=long_date(entry.due_on, wording=wording) if entry.due_on else "",
        status=wording.state(entry.status) if entry.status else "",
    )


def _proof(citation: Citation, *, entry: Entry, wording: Wording) -> Proof:
    repeated = not citation.quote or citation.quote.casefold() == entry.text.casefold()
    return Proof(stamp(citation.start_ms), citation.speaker, "" if repeated else wording.quote.format(citation.quote))


def _cover(document: MinutesDocument | TranscriptDocument, *, kind: str, state: str, wording: Wording) -> Cover:
    meeting = document.meeting
    people = []
    for person in meeting.participants:
        role = wording.role(person.role) if person.role else ""
        people.append(f"{person.name} ({role})" if role else person.name)
    return Cover(
        kind=kind,
        title=meeting.title or kind,
        state=state,
        when=wording.instant.format(when(meeting, wording=wording)) if meeting.started_at else "",
        organization=meeting.organization,
        participants=tuple(name for name in people if name),
    )


def _engine(document: MinutesDocument | TranscriptDocument) -> str:
    return ", ".join(part for part in (document.engine, document.model) if part)


def _coverage(coverage: Coverage, *, wording: Wording) -> list[str]:
    said = []
    if coverage.segments_total:
        said.append(wording.coverage.format(used=coverage.segments_used, total=coverage.segments_total))
    if coverage.truncated:
        said.append(wording.truncated)
    if coverage.dropped:
        said.append(wording.dropped.format(count=coverage.dropped))
    return said


def _generated(document: MinutesDocument | TranscriptDocument, *, wording: Wording) -> list[str]:
    if document.generated_at is None:
        return []
    return [wording.generated.format(moment=instant(document.generated_at))]


def _web_address(url: str) -> str:
    return url if url.lower().startswith(("https://", "http://")) and " " not in url else ""
