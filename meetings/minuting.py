"""From a transcript to minutes whose every line points at the moment it was said."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from chatvista.foundation import audit
from chatvista.foundation.problems import Problem
from chatvista.foundation.working import Work, queue_job
from meetings.abilities import Ability, require
from meetings.gateways.choosing import minute_taker
from meetings.gateways.contracts import Brief, Draft, Line, Point
from meetings.models import ActionStatus, Citation, Meeting, Minutes, MinutesItem, Participant, Section, Transcript

KIND = "minutes"
TEMPLATES = ("corporate", "board", "stand_up", "interview", "medical", "legal")


def request_minutes(
    *, user: User, meeting: Meeting, transcript: Transcript | None, template: str, language: str
) -> Minutes:
    """Make the next minutes of a meeting and queue the writing of them.

    Args:
        transcript: the one to work from; the newest completed one of the meeting where None.
        template: one of TEMPLATES; it shapes what the engine looks for.
        language: BCP 47 tag to write in; empty means the language that was spoken.

    Raises:
        Problem: 409 `no_transcript` where there is none to work from, 403 `permission_denied`.
    """
    require(user=user, meeting=meeting, ability=Ability.WRITE_MINUTES)
    source = transcript or meeting.transcripts.visible_to(user).completed().order_by("-version").first()
    if source is None or source.state != "completed":
        raise Problem("no_transcript", "Minutes need a completed transcript; this meeting has none yet.", status=409)
    with transaction.atomic():
        locked = Meeting.objects.select_for_update().get(pk=meeting.pk)
        newest = locked.minutes.aggregate(newest=Max("version"))["newest"] or 0
        job = queue_job(
            kind=KIND,
            tenant_id=meeting.organization_id,
            subject_id=meeting.pk,
            params={"transcript": str(source.pk), "template": template, "language": language},
        )
        minutes = Minutes.objects.create(
            meeting=locked,
            transcript=source,
            job=job,
            version=newest + 1,
            template=template,
            language=language or source.language,
        )
        audit.record(
            action="minutes.requested",
            target_kind="minutes",
            target_id=minutes.pk,
            actor=user.pk,
            tenant_id=meeting.organization_id,
        )
    return minutes


def write_minutes(work: Work) -> None:
    """Do one minutes job: read the whole transcript, let the engine write, keep what is backed by it."""
    minutes = Minutes.objects.select_related("meeting", "transcript").get(job=work.job)
    work.enter("reading")
    lines = [
        Line(
            id=str(segment.pk),
            speaker=segment.speaker.name if segment.speaker else "",
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
            text=segment.text,
        )
        for segment in minutes.transcript.segments.select_related("speaker").order_by("position")
    ]
    people = list(minutes.meeting.participants.order_by("id"))
    engine = minute_taker()
    work.enter("writing")
    draft = engine.draft(lines=lines, brief=_brief(minutes, people), progress=work.progress)
    work.enter("filing")
    _write(work, minutes=minutes, draft=draft, engine_name=engine.name, model=engine.model, people=people)


def _brief(minutes: Minutes, people: list[Participant]) -> Brief:
    meeting = minutes.meeting
    began = meeting.started_at or meeting.scheduled_start or meeting.created_at
    language = minutes.language or minutes.transcript.language or meeting.language or "en"
    return Brief(
        title=meeting.title,
        held_on=began.astimezone(ZoneInfo(meeting.timezone)).date(),
        language=language.split("-")[0].lower(),
        people=tuple(person.name for person in people),
        template=minutes.template,
    )


def _write(
    work: Work, *, minutes: Minutes, draft: Draft, engine_name: str, model: str, people: list[Participant]
) -> None:
    sections: dict[Section, tuple[Point, ...]] = {
        Section.SUMMARY: draft.summary,
        Section.TOPICS: draft.topics,
        Section.DECISIONS: draft.decisions,
        Section.ACTION_ITEMS: draft.action_items,
        Section.OPEN_QUESTIONS: draft.open_questions,
    }
    items: list[MinutesItem] = []
    citations: list[Citation] = []
    for section, points in sections.items():
        for position, point in enumerate(points):
            item = _item(minutes, section, position, point, people)
            items.append(item)
            citations += [
                Citation(
                    item=item, position=index, segment_id=cited.segment, start_ms=cited.start_ms, quote=cited.quote
                )
                for index, cited in enumerate(point.evidence)
            ]
    with work.finishing():
        MinutesItem.objects.bulk_create(items, batch_size=500)
        # The foreign key is the last guard: a citation of a segment that does not exist cannot be stored.
        Citation.objects.bulk_create(citations, batch_size=500)
        minutes.engine, minutes.model = engine_name, model
        minutes.coverage = {
            "segments_total": draft.coverage.segments_total,
            "segments_used": draft.coverage.segments_used,
            "truncated": draft.coverage.truncated,
            "dropped": draft.coverage.dropped,
        }
        minutes.save(update_fields=["engine", "model", "coverage", "updated_at"])


def _item(
    minutes: Minutes, section: Section, position: int, point: Point, people: Iterable[Participant]
) -> MinutesItem:
    item = MinutesItem(minutes=minutes, section=section, position=position, text=point.text)
    if section == Section.ACTION_ITEMS:
        item.owner = matching_participant(name=point.owner, people=people)
        item.owner_name = item.owner.name if item.owner else point.owner[:200]
        item.due_on = point.due_on
        item.status = ActionStatus.OPEN
    return item


def matching_participant(*, name: str, people: Iterable[Participant]) -> Participant | None:
    """The one participant a spoken name means: the whole name, or a first name that only one of them has."""
    wanted = name.casefold().strip()
    if not wanted:
        return None
    named = list(people)
    whole = [person for person in named if person.name.casefold() == wanted]
    first = [person for person in named if person.name.casefold().split()[:1] == [wanted]]
    found = whole or first
    return found[0] if len(found) == 1 else None
