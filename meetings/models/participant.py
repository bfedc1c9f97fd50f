"""Somebody in a meeting: a user of the organization, or a person from outside known by name and e-mail."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import User
from chatvista.foundation.records import Record
from meetings.models.meeting import Meeting


class ParticipantRole(models.TextChoices):
    """What somebody is in a meeting."""

    HOST = "host"
    CO_HOST = "co_host"
    PARTICIPANT = "participant"
    OBSERVER = "observer"


class Participant(Record):
    """One person in one meeting; at most once."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="participations")
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=12, choices=ParticipantRole, default=ParticipantRole.PARTICIPANT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "user"], condition=Q(user__isnull=False), name="a_user_is_in_a_meeting_once"
            ),
            models.UniqueConstraint(
                fields=["meeting", "email"], condition=~Q(email=""), name="an_address_is_in_a_meeting_once"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="a_participant_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
