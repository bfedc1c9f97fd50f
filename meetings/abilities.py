"""The one table that says who may do what with a meeting.

Organization roles and meeting roles both count; the more able one decides. What somebody may not even see is a
matter of `querysets.visible_to`, not of this table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from chatvista.foundation.problems import Problem

if TYPE_CHECKING:
    from accounts.models import User
    from meetings.models import Meeting


class Ability(StrEnum):
    """Something one may do with a meeting one sees."""

    EDIT_MEETING = "edit_meeting"
    DELETE_MEETING = "delete_meeting"
    MANAGE_PARTICIPANTS = "manage_participants"
    ADD_RECORDING = "add_recording"
    DELETE_RECORDING = "delete_recording"
    STEER_JOBS = "steer_jobs"
    ADD_TRANSCRIPT = "add_transcript"
    WRITE_MINUTES = "write_minutes"
    UPDATE_ACTION_ITEMS = "update_action_items"
    EXPORT = "export"


SEES_EVERY_MEETING = frozenset({"owner", "admin", "auditor"})
MAY_CREATE_MEETINGS = frozenset({"owner", "admin", "member"})

_EVERYTHING = frozenset(Ability)
_OF_ORGANIZATION_ROLE: dict[str, frozenset[Ability]] = {
    "owner": _EVERYTHING,
    "admin": _EVERYTHING,
    "member": frozenset(),
    "auditor": frozenset(),
}
_OF_MEETING_ROLE: dict[str, frozenset[Ability]] = {
    "host": _EVERYTHING,
    "co_host": _EVERYTHING - {Ability.DELETE_MEETING, Ability.DELETE_RECORDING},
    "participant": frozenset(
        {
            Ability.ADD_RECORDING,
            Ability.ADD_TRANSCRIPT,
            Ability.WRITE_MINUTES,
            Ability.UPDATE_ACTION_ITEMS,
            Ability.STEER_JOBS,
            Ability.EXPORT,
        }
    ),
    "observer": frozenset({Ability.EXPORT}),
}


def abilities_of(*, user: User, meeting: Meeting) -> frozenset[Ability]:
    """All that the user may do with the meeting. An auditor reads and never writes, whatever the meeting role."""
    if user.role == "auditor" or user.organization_id != meeting.organization_id:
        return frozenset()
    found = _OF_ORGANIZATION_ROLE[user.role]
    for role in meeting.participants.filter(user=user).values_list("role", flat=True):
        found |= _OF_MEETING_ROLE[role]
    return found


def require(*, user: User, meeting: Meeting, ability: Ability) -> None:
    """Raise Problem 403 unless the user has the ability."""
    if ability not in abilities_of(user=user, meeting=meeting):
        raise Problem(
            "permission_denied", f"You may see this meeting, but not {ability.replace('_', ' ')}.", status=403
        )


def require_may_create_meetings(*, user: User) -> None:
    """Raise Problem 403 unless the user may create meetings in their organization."""
    if user.organization_id is None or user.role not in MAY_CREATE_MEETINGS:
        raise Problem(
            "permission_denied", "Your role in the organization does not let you create meetings.", status=403
        )
