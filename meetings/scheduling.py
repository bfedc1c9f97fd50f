"""Making meetings, changing what they are about, and walking them through their life. Nothing here knows HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from chatvista.foundation import audit
from chatvista.foundation.problems import Problem
from meetings import abilities, sealing
from meetings.abilities import Ability
from meetings.models import Meeting, MeetingStatus, Participant, ParticipantRole

Check = Callable[[Meeting], None]
"""Called with the locked row before anything changes; raises to refuse (a stale ETag)."""


def create_meeting(*, user: User, facts: Mapping[str, Any]) -> Meeting:
    """A new meeting of the user's organization, hosted by the user. `facts` are validated fields of `Meeting`."""
    abilities.require_may_create_meetings(user=user)
    meeting = Meeting(organization=user.organization, created_by=user, **facts)
    _require_order(meeting)
    with transaction.atomic():
        meeting.save(force_insert=True)
        Participant.objects.create(
            meeting=meeting, user=user, name=user.name, email=user.email, role=ParticipantRole.HOST
        )
        _announce("meeting.created", user=user, meeting=meeting)
    return meeting


def change_meeting(*, user: User, meeting: Meeting, changes: Mapping[str, Any], check: Check) -> Meeting:
    """Write `changes` (validated fields of `Meeting`); Problem 400 when together they make no sense."""
    abilities.require(user=user, meeting=meeting, ability=Ability.EDIT_MEETING)
    with transaction.atomic():
        row = locked(meeting=meeting)
        check(row)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        _require_order(row)
        if changed:
            _advance(row)
            if "is_confidential" in changed:
                sealing.queue_sealing(meeting=row)
            _announce("meeting.changed", user=user, meeting=row, fields=sorted(changed))
    return row


def start_meeting(*, user: User, meeting: Meeting) -> Meeting:
    """scheduled -> live; a live meeting stays as it is; Problem 409 `wrong_state` otherwise."""
    return _move(
        user=user, meeting=meeting, to=MeetingStatus.LIVE, since={MeetingStatus.SCHEDULED}, stamp="started_at",
        refusal="Only a scheduled meeting can be started; this one is {status}.",
    )  # fmt: skip


def end_meeting(*, user: User, meeting: Meeting) -> Meeting:
    """live -> ended; an ended meeting stays as it is; Problem 409 `wrong_state` otherwise."""
    return _move(
        user=user, meeting=meeting, to=MeetingStatus.ENDED, since={MeetingStatus.LIVE}, stamp="ended_at",
        refusal="Only a meeting that was started can be ended; this one is {status}.",
    )  # fmt: skip


def cancel_meeting(*, user: User, meeting: Meeting) -> Meeting:
    """scheduled -> cancelled; a cancelled meeting stays as it is; Problem 409 `wrong_state` otherwise."""
    return _move(
        user=user, meeting=meeting, to=MeetingStatus.CANCELLED, since={MeetingStatus.SCHEDULED}, stamp=None,
        refusal="Only a meeting that has not begun can be cancelled; this one is {status}.",
    )  # fmt: skip


def archive_meeting(*, user: User, meeting: Meeting, check: Check) -> None:
    """Put a meeting in the trash: it and what hangs on it vanish at once, and `restore_meeting` brings them back."""
    abilities.require(user=user, meeting=meeting, ability=Ability.DELETE_MEETING)
    with transaction.atomic():
        row = locked(meeting=meeting)
        check(row)
        row.archived_at = timezone.now()
        _advance(row)
        _announce("meeting.archived", user=user, meeting=row)


def restore_meeting(*, user: User, meeting: Meeting) -> Meeting:
    """Take a meeting out of the trash; one that is not there stays as it is."""
    abilities.require(user=user, meeting=meeting, ability=Ability.DELETE_MEETING)
    with transaction.atomic():
        row: Meeting = Meeting.objects.select_for_update(of=("self",)).get(pk=meeting.pk)
        if row.archived_at is not None:
            row.archived_at = None
            _advance(row)
            _announce("meeting.restored", user=user, meeting=row)
    return row


def locked(*, meeting: Meeting) -> Meeting:
    """The meeting's row, locked until the transaction ends; Http404 when it went to the trash meanwhile.

    Whatever counts something per meeting (versions, hosts) locks this row first, so that counts cannot race.
    """
    rows = Meeting.objects.select_for_update(of=("self",)).filter(pk=meeting.pk, archived_at__isnull=True)
    row: Meeting | None = rows.first()
    if row is None:
        raise Http404
    return row


def _move(
    *, user: User, meeting: Meeting, to: MeetingStatus, since: set[MeetingStatus], stamp: str | None, refusal: str
) -> Meeting:
    abilities.require(user=user, meeting=meeting, ability=Ability.EDIT_MEETING)
    with transaction.atomic():
        row = locked(meeting=meeting)
        if row.status == to:
            return row
        if row.status not in since:
            raise Problem("wrong_state", refusal.format(status=row.status), status=409)
        row.status = to
        if stamp is not None:
            setattr(row, stamp, timezone.now())
        _advance(row)
        _announce(f"meeting.{to.value}", user=user, meeting=row)
    return row


def _advance(row: Meeting) -> None:
    row.revision += 1
    row.save()


def _require_order(meeting: Meeting) -> None:
    start, end = meeting.scheduled_start, meeting.scheduled_end
    if start is not None and end is not None and end < start:
        sentence = "A meeting cannot end before it starts."
        raise Problem("validation_failed", sentence, status=400, fields={"scheduled_end": [sentence]})


def _announce(action: str, *, user: User, meeting: Meeting, **data: Any) -> None:
    actor: uuid.UUID = user.pk
    audit.record(
        action=action, target_kind="meeting", target_id=meeting.pk, actor=actor, tenant_id=meeting.organization_id,
        **data,
    )  # fmt: skip
