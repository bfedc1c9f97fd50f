"""JSON for programs: the document as it is, with a named schema that only ever gains fields.

`schema` is `chatvista.minutes/1` or `chatvista.transcript/1`. Positions are integer milliseconds, instants ISO 8601 in
UTC, dates ISO 8601; what is unknown is null. The shapes are written down in docs/exports.md.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from meetings.renderers.contracts import Entry, Heading, MinutesDocument, SpokenLine, TranscriptDocument

MINUTES_SCHEMA = "chatvista.minutes/1"
TRANSCRIPT_SCHEMA = "chatvista.transcript/1"


def render_minutes_json(document: MinutesDocument) -> bytes:
    """Return minutes as JSON."""
    coverage = document.coverage
    return _dump(
        {
            "schema": MINUTES_SCHEMA,
            "meeting": _meeting(document.meeting),
            "language": document.language or None,
            "engine": document.engine or None,
            "model": document.model or None,
            "status": document.status,
            "generated_at": _instant(document.generated_at),
            "summary": [_entry(entry) for entry in document.summary],
            "topics": [_entry(entry) for entry in document.topics],
            "decisions": [_entry(entry) for entry in document.decisions],
            "action_items": [
                {
                    **_entry(entry),
                    "owner": entry.owner or None,
                    "due_on": entry.due_on.isoformat() if entry.due_on else None,
                    "status": entry.status or None,
                }
                for entry in document.action_items
            ],
            "open_questions": [_entry(entry) for entry in document.open_questions],
            "coverage": {
                "segments_total": coverage.segments_total,
                "segments_used": coverage.segments_used,
                "truncated": coverage.truncated,
                "dropped": coverage.dropped,
            },
        }
    )


def render_transcript_json(document: TranscriptDocument) -> bytes:
    """Return a transcript as JSON, every segment as it is."""
    return _dump(
        {
            "schema": TRANSCRIPT_SCHEMA,
            "meeting": _meeting(document.meeting),
            "language": document.language or None,
            "engine": document.engine or None,
            "model": document.model or None,
            "duration_ms": document.duration_ms,
            "generated_at": _instant(document.generated_at),
            "segments": [_segment(line) for line in document.lines],
        }
    )


def _dump(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode()


def _instant(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def _meeting(meeting: Heading) -> dict[str, Any]:
    return {
        "id": meeting.meeting_id,
        "title": meeting.title,
        "organization": meeting.organization or None,
        "started_at": _instant(meeting.started_at),
        "ended_at": _instant(meeting.ended_at),
        "timezone": meeting.timezone,
        "participants": [{"name": person.name, "role": person.role or None} for person in meeting.participants],
        "url": meeting.url or None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "text": entry.text,
        "evidence": [
            {"speaker": cited.speaker or None, "start_ms": cited.start_ms, "quote": cited.quote}
            for cited in entry.evidence
        ],
    }


def _segment(line: SpokenLine) -> dict[str, Any]:
    words = line.words
    return {
        "speaker": line.speaker or None,
        "start_ms": line.start_ms,
        "end_ms": line.end_ms,
        "text": line.text,
        "words": None
        if words is None
        else [{"text": word.text, "start_ms": word.start_ms, "end_ms": word.end_ms} for word in words],
    }
