"""Who has to do an action item, by when, and how far it is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.models import User
from chatvista.foundation import audit
from chatvista.foundation.problems import Problem
from meetings import abilities, scheduling
from meetings.abilities import Ability
from meetings.models import ActionItem, Meeting, Minutes, Participant


def change_action_item(*, user: User, item: ActionItem, changes: Mapping[str, Any]) -> ActionItem:
    """Write changes to an action item and count the minutes' revision up.

    Args:
        user: who changes it.
        item: the item, of minutes the user sees.
        changes: any of `owner` (id of a participant, or None for nobody), `owner_name` (a participant's name becomes
            that participant, any other is kept as a name; it replaces an owner), `due_on`, `status`, `text`.

    Raises:
        Problem: 400 for an owner who is not in the meeting, 403.
    """
    meeting: Meeting = item.minutes.meeting
    abilities.require(user=user, meeting=meeting, ability=Ability.UPDATE_ACTION_ITEMS)
    with transaction.atomic():
        # Nobody leaves the meeting between being found in it and being written down.
        scheduling.locked(meeting=meeting)
        row = ActionItem.objects.select_for_update(of=("self",)).select_related("minutes__meeting").get(pk=item.pk)
        if "owner" in changes or "owner_name" in changes:
            row.owner, row.owner_name = _owner(
                meeting=meeting, person=changes.get("owner"), name=changes.get("owner_name", "")
            )
        for name in changes.keys() & {"due_on", "status", "text"}:
            setattr(row, name, changes[name])
        row.save()
        Minutes.objects.filter(pk=row.minutes_id).update(revision=F("revision") + 1)
        audit.record(
            action="action_item.changed", target_kind="action_item", target_id=row.pk, actor=user.pk,
            tenant_id=meeting.organization_id, meeting=str(meeting.pk), fields=sorted(changes),
        )  # fmt: skip
    return row


def _owner(*, meeting: Meeting, person: uuid.UUID | None, name: str) -> tuple[Participant | None, str]:
    if person is not None:
        participant = Participant.objects.filter(meeting=meeting, pk=person).first()
        if participant is None:
            sentence = "This person does not take part in the meeting."
            raise Problem("validation_failed", sentence, status=400, fields={"owner": [sentence]})
        return participant, participant.name
    if name:
        people = list(Participant.objects.filter(meeting=meeting, name__iexact=name)[:2])
        if len(people) == 1:
            return people[0], people[0].name
    return None, name
