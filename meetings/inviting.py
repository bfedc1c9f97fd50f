"""Who takes part in a meeting: letting people in, changing what they are, and letting them go."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.models import User
from accounts.models.user import normalised_email
from chatvista.foundation import audit
from chatvista.foundation.problems import Problem
from meetings import abilities, scheduling
from meetings.abilities import Ability
from meetings.models import Meeting, MinutesItem, Participant, ParticipantRole


def add_participant(
    *, user: User, meeting: Meeting, person: uuid.UUID | None, name: str, email: str, role: str
) -> Participant:
    """Let somebody into a meeting.

    Args:
        user: who lets them in.
        meeting: the meeting.
        person: id of a user of the same organization, or None for somebody known by e-mail. An address of the
            organization means its user; any other is somebody from outside.
        name: the name to show; empty takes the user's, or the address.
        email: the address of somebody from outside; ignored for a user, who has one.
        role: one of `ParticipantRole`.

    Raises:
        Problem: 400 for nobody in particular, 403 for a host made by somebody who is less, 409 `already_participant`.
    """
    abilities.require(user=user, meeting=meeting, ability=Ability.MANAGE_PARTICIPANTS)
    _require_may_touch_hosts(user=user, meeting=meeting, roles={role})
    account = _account(meeting=meeting, person=person, email=email)
    if account is None and not email:
        raise _nobody()
    address = account.email if account else normalised_email(email)
    participant = Participant(
        meeting=meeting, user=account, name=name or (account.name if account else address), email=address, role=role
    )
    try:
        with transaction.atomic():
            scheduling.locked(meeting=meeting)
            participant.save(force_insert=True)
            _announce("participant.added", user=user, participant=participant, role=role)
    except IntegrityError as error:
        raise Problem("already_participant", "This person takes part in the meeting already.", status=409) from error
    return participant


def change_participant(
    *, user: User, participant: Participant, name: str | None = None, role: str | None = None
) -> Participant:
    """Change what somebody is called or is in a meeting; Problem 409 `last_host` when nobody would host it."""
    meeting = participant.meeting
    abilities.require(user=user, meeting=meeting, ability=Ability.MANAGE_PARTICIPANTS)
    with transaction.atomic():
        row = _locked(participant)
        if role is not None and role != row.role:
            _require_may_touch_hosts(user=user, meeting=meeting, roles={row.role, role})
            if row.role == ParticipantRole.HOST:
                _require_another_host(row)
            row.role = role
        row.name = row.name if name is None else name
        row.save()
        _announce("participant.changed", user=user, participant=row, role=row.role)
    return row


def remove_participant(*, user: User, participant: Participant) -> None:
    """Let somebody go. What they said and have to do keeps their name; Problem 409 `last_host` as above."""
    meeting = participant.meeting
    abilities.require(user=user, meeting=meeting, ability=Ability.MANAGE_PARTICIPANTS)
    with transaction.atomic():
        row = _locked(participant)
        _require_may_touch_hosts(user=user, meeting=meeting, roles={row.role})
        if row.role == ParticipantRole.HOST:
            _require_another_host(row)
        MinutesItem.objects.filter(owner=row).update(owner=None, owner_name=row.name)
        _announce("participant.removed", user=user, participant=row, role=row.role)
        row.delete()


def _locked(participant: Participant) -> Participant:
    scheduling.locked(meeting=participant.meeting)
    row = Participant.objects.select_related("meeting").filter(pk=participant.pk).first()
    if row is None:
        raise Http404
    return row


def _account(*, meeting: Meeting, person: uuid.UUID | None, email: str) -> User | None:
    members = User.objects.filter(organization_id=meeting.organization_id, is_active=True)
    if person is None:
        return members.filter(email=normalised_email(email)).first() if email else None
    account = members.filter(pk=person).first()
    if account is None:
        sentence = "There is no such user in this organization."
        raise Problem("validation_failed", sentence, status=400, fields={"user": [sentence]})
    return account


def _require_may_touch_hosts(*, user: User, meeting: Meeting, roles: set[str]) -> None:
    """Only who has a host's abilities makes or unmakes hosts: a co-host must not be able to promote themselves."""
    if ParticipantRole.HOST in roles and Ability.DELETE_MEETING not in abilities.abilities_of(
        user=user, meeting=meeting
    ):
        raise Problem("permission_denied", "Only a host makes or removes hosts.", status=403)


def _require_another_host(participant: Participant) -> None:
    """With the meeting locked: somebody with an account must go on hosting. People from outside cannot sign in."""
    others = Participant.objects.filter(
        meeting=participant.meeting_id, role=ParticipantRole.HOST, user__isnull=False
    ).exclude(pk=participant.pk)
    if participant.user_id is not None and not others.exists():
        raise Problem("last_host", "This is the last host; make somebody else host first.", status=409)


def _nobody() -> Problem:
    sentence = "Say who: a `user` of the organization, or an `email`."
    return Problem("validation_failed", sentence, status=400, fields={"user": [sentence], "email": [sentence]})


def _announce(action: str, *, user: User, participant: Participant, role: str) -> None:
    audit.record(
        action=action, target_kind="participant", target_id=participant.pk, actor=user.pk,
        tenant_id=participant.meeting.organization_id, meeting=str(participant.meeting_id), role=role,
    )  # fmt: skip
