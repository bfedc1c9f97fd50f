"""Taking in a transcript that was made elsewhere. Reading its format is `readers`' part."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from chatvista.foundation import audit
from meetings import abilities, scheduling
from meetings.abilities import Ability
from meetings.models import Meeting, Segment, Speaker, Transcript
from meetings.readers.contracts import SaidLine
from meetings.transcribing import next_version

ENGINE = "import"
_ROWS_PER_INSERT = 2000


def import_transcript(
    *, user: User, meeting: Meeting, lines: Sequence[SaidLine], form: str, language: str = ""
) -> Transcript:
    """Keep `lines` as a new, complete version: one segment per line, in their order.

    Speakers are one row per name (case does not count) and are the participant of that name where exactly one is.

    Args:
        user: who brings it.
        meeting: the meeting it was said in.
        lines: what a reader gave; at least one.
        form: the format they came in (json, vtt, srt, txt); kept as the transcript's model.
        language: BCP 47 tag, or empty.
    """
    abilities.require(user=user, meeting=meeting, ability=Ability.ADD_TRANSCRIPT)
    with transaction.atomic():
        scheduling.locked(meeting=meeting)
        transcript = Transcript.objects.create(
            meeting=meeting,
            version=next_version(meeting),
            language=language or meeting.language,
            engine=ENGINE,
            model=form,
            duration_ms=max(line.end_ms for line in lines),
            segments_count=len(lines),
        )
        speakers = _speakers(transcript=transcript, lines=lines)
        Segment.objects.bulk_create(
            (
                Segment(
                    transcript=transcript,
                    speaker=speakers.get(line.speaker.casefold()),
                    position=position,
                    start_ms=line.start_ms,
                    end_ms=line.end_ms,
                    text=line.text,
                )
                for position, line in enumerate(lines)
            ),
            batch_size=_ROWS_PER_INSERT,
        )
        audit.record(
            action="transcript.imported", target_kind="transcript", target_id=transcript.pk, actor=user.pk,
            tenant_id=meeting.organization_id, meeting=str(meeting.pk), format=form, segments=len(lines),
        )  # fmt: skip
    return transcript


def _speakers(*, transcript: Transcript, lines: Sequence[SaidLine]) -> dict[str, Speaker]:
    """A row per name, by casefolded name; the first spelling is the one shown."""
    spelled: dict[str, str] = {}
    for line in lines:
        if line.speaker:
            spelled.setdefault(line.speaker.casefold(), line.speaker)
    known: dict[str, list[uuid.UUID]] = {}
    for pk, name in transcript.meeting.participants.values_list("pk", "name"):
        known.setdefault(name.casefold(), []).append(pk)
    speakers = {}
    for folded, name in spelled.items():
        # Two people of one name: saying which one spoke would be a guess.
        people = known.get(folded, [])
        participant = people[0] if len(people) == 1 else None
        speakers[folded] = Speaker(transcript=transcript, name=name, participant_id=participant)
    Speaker.objects.bulk_create(speakers.values(), batch_size=_ROWS_PER_INSERT)
    return speakers
