"""From rows to the plain documents that renderers take."""

from __future__ import annotations

from meetings.models import Meeting, Minutes, MinutesItem, Section, Transcript
from meetings.renderers.contracts import (
    Citation,
    Coverage,
    Entry,
    Heading,
    MinutesDocument,
    Person,
    SpokenLine,
    SpokenWord,
    TranscriptDocument,
)


def transcript_document(transcript: Transcript) -> TranscriptDocument:
    """The whole transcript as a document; three queries, whatever its length."""
    segments = transcript.segments.select_related("speaker").order_by("position")
    return TranscriptDocument(
        meeting=_heading(transcript.meeting),
        language=transcript.language,
        engine=transcript.engine,
        model=transcript.model,
        duration_ms=transcript.duration_ms,
        lines=tuple(
            SpokenLine(
                speaker=segment.speaker.name if segment.speaker else "",
                start_ms=segment.start_ms,
                end_ms=segment.end_ms,
                text=segment.text,
                words=None if segment.words is None else tuple(SpokenWord(**word) for word in segment.words),
            )
            for segment in segments
        ),
        generated_at=transcript.updated_at,
    )


def minutes_document(minutes: Minutes) -> MinutesDocument:
    """The minutes as a document, each line with its evidence; a fixed number of queries."""
    items = list(minutes.items.prefetch_related("evidence__segment__speaker").order_by("section", "position"))
    coverage = minutes.coverage
    return MinutesDocument(
        meeting=_heading(minutes.meeting),
        engine=minutes.engine,
        model=minutes.model,
        status=minutes.status,
        language=minutes.language or minutes.transcript.language,
        summary=_entries(items, Section.SUMMARY),
        topics=_entries(items, Section.TOPICS),
        decisions=_entries(items, Section.DECISIONS),
        action_items=_entries(items, Section.ACTION_ITEMS),
        open_questions=_entries(items, Section.OPEN_QUESTIONS),
        coverage=Coverage(
            segments_total=coverage.get("segments_total", 0),
            segments_used=coverage.get("segments_used", 0),
            truncated=coverage.get("truncated", False),
            dropped=sum(coverage.get("dropped", {}).values()),
        ),
        generated_at=minutes.updated_at,
    )


def _heading(meeting: Meeting) -> Heading:
    # When it took place; else when it was to; else when it was entered. Both ends are of one kind.
    if meeting.started_at:
        began, ended = meeting.started_at, meeting.ended_at
    elif meeting.scheduled_start:
        began, ended = meeting.scheduled_start, meeting.scheduled_end
    else:
        began, ended = meeting.created_at, None
    return Heading(
        title=meeting.title,
        meeting_id=str(meeting.pk),
        organization=meeting.organization.name,
        started_at=began,
        ended_at=ended,
        timezone=meeting.timezone,
        participants=tuple(
            Person(name=person.name, role=person.role) for person in meeting.participants.order_by("id")
        ),
    )


def _entries(items: list[MinutesItem], section: Section) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            text=item.text,
            evidence=tuple(
                Citation(
                    speaker=cited.segment.speaker.name if cited.segment.speaker else "",
                    start_ms=cited.start_ms,
                    quote=cited.quote,
                )
                for cited in sorted(item.evidence.all(), key=lambda cited: cited.position)
            ),
            owner=item.owner_name,
            due_on=item.due_on,
            status=item.status,
        )
        for item in items
        if item.section == section
    )
