"""What meetings are made of in tests: a meeting with its people, sound as bytes, a transcript, finished minutes."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Iterable
from datetime import date
from typing import Any

from accounts.models import User
from chatvista.foundation.leases import State
from chatvista.foundation.models import Job
from meetings import capturing, importing, inviting, minuting, scheduling
from meetings.models import (
    ActionStatus,
    Citation,
    Meeting,
    Minutes,
    MinutesItem,
    Participant,
    Recording,
    Section,
    Transcript,
)
from meetings.readers.contracts import SaidLine
from storage_sync.arriving.receiving import Intake


def meeting_of(host: User, *people: User, title: str = "Board meeting", role: str = "participant") -> Meeting:
    """A meeting hosted by the first and joined by the others."""
    meeting = scheduling.create_meeting(user=host, facts={"title": title})
    for person in people:
        join(meeting, person, by=host, role=role)
    return meeting


def join(meeting: Meeting, person: User, *, by: User, role: str = "participant") -> Participant:
    """Somebody of the organization, in the meeting."""
    return inviting.add_participant(user=by, meeting=meeting, person=person.pk, name="", email="", role=role)


def somebody(like: User, *, role: str) -> User:
    """Another user of the same organization."""
    return User.objects.create_user(
        email=f"{role}@example.org", password=None, name=role.title(), role=role, organization=like.organization
    )


def sound(*, seconds: float = 1.0, rate: int = 16_000) -> bytes:
    """A real WAV file: a tone."""
    target = io.BytesIO()
    with wave.open(target, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        count = int(seconds * rate)
        samples = (int(9000 * math.sin(2 * math.pi * 330 * index / rate)) for index in range(count))
        writer.writeframes(struct.pack(f"<{count}h", *samples))
    return target.getvalue()


def recording_of(meeting: Meeting, by: User, *, content: bytes | None = None) -> Recording:
    """A recording on both sides, with its transcription queued."""
    body = sound() if content is None else content
    with Intake(category="recordings", largest=len(body)) as intake:
        intake.write(body)
        return capturing.capture(user=by, meeting=meeting, landed=intake.land(), original_name="tone.wav")


def form(*files: tuple[str, str | None, bytes], boundary: str = "cut-here") -> tuple[bytes, str]:
    """A multipart body of parts (name, filename, content), and its Content-Type."""
    body = b""
    for name, filename, content in files:
        naming = f'; filename="{filename}"' if filename is not None else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{naming}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def content_of(answer: Any) -> bytes:
    """The whole body of a streamed answer."""
    return b"".join(answer.streaming_content)


def transcript_of(
    meeting: Meeting, by: User, words: Iterable[str] = ("We agreed to ship.", "Pavel will call.")
) -> Transcript:
    """An imported transcript, a second for each line, said by Hana."""
    lines = [SaidLine("Hana", index * 1000, index * 1000 + 900, text) for index, text in enumerate(words)]
    return importing.import_transcript(user=by, meeting=meeting, lines=lines, form="json")


def finished(job: Job) -> None:
    """The job as a worker leaves it when all went well."""
    Job.objects.filter(pk=job.pk).update(state=State.COMPLETED, progress=1.0)


def minutes_of(meeting: Meeting, by: User, *, actions: int = 1, owner: Participant | None = None) -> Minutes:
    """Finished minutes of the meeting's newest transcript, which is made where there is none."""
    if not meeting.transcripts.exists():
        transcript_of(meeting, by)
    minutes = minuting.request_minutes(user=by, meeting=meeting, transcript=None, template="corporate", language="")
    segment = minutes.transcript.segments.order_by("position").first()
    assert segment is not None
    lines = [(Section.SUMMARY, 0), (Section.DECISIONS, 0), *((Section.ACTION_ITEMS, at) for at in range(actions))]
    for section, position in lines:
        is_action = section == Section.ACTION_ITEMS
        item = MinutesItem.objects.create(
            minutes=minutes, section=section, position=position, text=f"{section} {position}",
            status=ActionStatus.OPEN if is_action else "",
            owner=owner if is_action else None,
            owner_name=owner.name if owner and is_action else "",
            due_on=date(2026, 12, 1) if is_action else None,
        )  # fmt: skip
        Citation.objects.create(item=item, segment=segment, position=0, start_ms=segment.start_ms, quote=segment.text)
    finished(minutes.job)
    minutes.refresh_from_db()
    return minutes
