"""Which rows: what a user may see, of each noun. Nothing is looked up for a request without `visible_to`.

A meeting is seen by its organization's owners, admins and auditors, and by the users who take part in it; what
hangs on a meeting is seen by those who see the meeting. What is in the trash is seen by nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from meetings.abilities import SEES_EVERY_MEETING

if TYPE_CHECKING:
    from accounts.models import User


def _visible_meetings(user: User, *, prefix: str = "") -> Q:
    from meetings.models import Participant  # noqa: PLC0415  the models name these querysets as their managers

    outer = f"{prefix}pk" if prefix == "" else f"{prefix.removesuffix('__')}_id"
    own = Q(**{f"{prefix}organization_id": user.organization_id})
    if user.role in SEES_EVERY_MEETING:
        return own
    return own & Q(Exists(Participant.objects.filter(meeting=OuterRef(outer), user=user)))


def _transcript_stands(prefix: str = "") -> Q:
    """Not of a recording that is archived. Minutes are a record of their own: they stay when the sound goes."""
    of_no_recording = Q(**{f"{prefix}recording__isnull": True})
    return of_no_recording | _file_is_in_sight("stored", "lost", prefix=f"{prefix}recording__file__")


def _file_is_in_sight(*states: str, prefix: str) -> Q:
    return Q(**{f"{prefix}state__in": states, f"{prefix}archived_at__isnull": True})


class MeetingQuerySet(models.QuerySet[Any]):
    """Meetings."""

    def of(self, user: User) -> Self:
        """Those the user may see, the trash included."""
        return self.filter(_visible_meetings(user))

    def visible_to(self, user: User) -> Self:
        """Those the user may see."""
        return self.of(user).filter(archived_at__isnull=True)


class RecordingQuerySet(models.QuerySet[Any]):
    """Recordings; for a client only stored ones exist, lost ones, and those that are not what was declared."""

    def of(self, user: User) -> Self:
        """Those the user may see, archived ones included: what can be restored."""
        return self.filter(
            _visible_meetings(user, prefix="meeting__"),
            meeting__archived_at__isnull=True,
            file__state__in=["stored", "quarantined", "lost", "archived"],
        )

    def tombstones_of(self, user: User) -> Self:
        """Those the user may see the meeting of, whose bytes were or are being removed for good."""
        return self.filter(
            _visible_meetings(user, prefix="meeting__"),
            meeting__archived_at__isnull=True,
            file__state__in=["purging", "purged"],
        )

    def visible_to(self, user: User) -> Self:
        """Those the user may see."""
        return self.of(user).filter(_file_is_in_sight("stored", "quarantined", "lost", prefix="file__"))


class _OfMeetingQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Those of meetings the user may see."""
        return self.filter(_visible_meetings(user, prefix="meeting__"), meeting__archived_at__isnull=True)


class TranscriptQuerySet(_OfMeetingQuerySet):
    """Transcripts."""

    def visible_to(self, user: User) -> Self:
        """Those of meetings the user may see, but for those whose recording is archived."""
        return super().visible_to(user).filter(_transcript_stands())

    def completed(self) -> Self:
        """Those that can be read."""
        return self.filter(Q(job__isnull=True) | Q(job__state="completed"))


class MinutesQuerySet(_OfMeetingQuerySet):
    """Minutes."""


class ExportQuerySet(_OfMeetingQuerySet):
    """Exports."""

    def visible_to(self, user: User) -> Self:
        """Those of meetings the user may see; a transcript's documents go and come back with its recording."""
        return super().visible_to(user).filter(_transcript_stands("transcript__"))
