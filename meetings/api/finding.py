"""Looking things up for a request: what one may not see is 404, always by way of `visible_to`."""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from rest_framework.request import Request

from accounts.people import person
from chatvista.foundation.problems import Problem
from meetings.models import (
    ActionItem,
    Citation,
    Export,
    Meeting,
    Minutes,
    Participant,
    Recording,
    Section,
    Transcript,
)

Row = TypeVar("Row", Meeting, Participant, Recording, Transcript, Minutes, ActionItem, Export)


def one(rows: QuerySet[Row], pk: uuid.UUID) -> Row:
    """The row of that id among those given; Http404 without one."""
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def meeting(request: Request, meeting_id: uuid.UUID) -> Meeting:
    """A meeting the user may see."""
    return one(meetings(request), meeting_id)


def meetings(request: Request) -> QuerySet[Meeting]:
    """All meetings the user may see, with what their shape reads."""
    return Meeting.objects.visible_to(person(request)).select_related("created_by", "organization", "sealing_job")


def participants(request: Request) -> QuerySet[Participant]:
    """All participants of meetings the user may see."""
    seen = Meeting.objects.visible_to(person(request)).values("pk")
    return Participant.objects.filter(meeting__in=seen).select_related("meeting")


def recordings(request: Request) -> QuerySet[Recording]:
    """All recordings the user may see, with what their shape reads."""
    return with_storage(Recording.objects.visible_to(person(request)))


def recording(request: Request, recording_id: uuid.UUID) -> Recording:
    """A recording the user may see. Problem 410 `file_purged` where it was removed for good; Http404 otherwise."""
    found = recordings(request).filter(pk=recording_id).first()
    if found is not None:
        return found
    if Recording.objects.tombstones_of(person(request)).filter(pk=recording_id).exists():
        raise Problem("file_purged", "This recording was removed for good.", status=410)
    raise Http404


def restorable_recordings(request: Request) -> QuerySet[Recording]:
    """All recordings the user may see, archived ones too, and those that it is too late for."""
    user = person(request)
    return with_storage(Recording.objects.of(user) | Recording.objects.tombstones_of(user))


def with_storage(rows: QuerySet[Recording]) -> QuerySet[Recording]:
    """The rows with what the shape of a recording reads: file, copies and job."""
    return rows.select_related("meeting", "file", "job").prefetch_related("file__copies")


def transcripts(request: Request) -> QuerySet[Transcript]:
    """All transcripts the user may see."""
    return Transcript.objects.visible_to(person(request)).select_related("meeting__organization", "job")


def minutes(request: Request) -> QuerySet[Minutes]:
    """All minutes the user may see."""
    return Minutes.objects.visible_to(person(request)).select_related("meeting", "job")


def action_items(request: Request) -> QuerySet[ActionItem]:
    """All action items of finished minutes the user may see, with what their shape reads."""
    written = Minutes.objects.visible_to(person(request)).filter(job__state="completed").values("pk")
    return (
        ActionItem.objects.filter(section=Section.ACTION_ITEMS, minutes__in=written)
        .select_related("minutes__meeting", "owner")
        .prefetch_related(Prefetch("evidence", queryset=Citation.objects.order_by("position")))
    )


def exports(request: Request) -> QuerySet[Export]:
    """All exports the user may see."""
    return Export.objects.visible_to(person(request)).select_related("meeting", "job", "file")


def participant_of(meeting: Meeting, written: str) -> Participant:
    """The participant a query parameter names; Problem 400 where it names nobody in the meeting."""
    try:
        found = meeting.participants.filter(pk=uuid.UUID(written)).first()
    except ValueError:
        found = None
    if found is None:
        sentence = "This person does not take part in the meeting."
        raise Problem("validation_failed", sentence, status=400, fields={"participant": [sentence]})
    return found
