"""A meeting: what it is about, when it is, and where it stands in its life."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Organization, User
from chatvista.foundation.models import Job
from chatvista.foundation.records import Record
from meetings.querysets import MeetingQuerySet


class MeetingStatus(models.TextChoices):
    """The life of a meeting."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Meeting(Record):
    """One meeting of one organization. In the trash (`archived_at`) it is invisible and can be restored."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="meetings")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="meetings_created")
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=MeetingStatus, default=MeetingStatus.SCHEDULED)
    scheduled_start = models.DateTimeField(null=True, blank=True)
    scheduled_end = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    agenda = models.JSONField(default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    language = models.CharField(max_length=20, blank=True, help_text="BCP 47 tag; empty lets the engine tell.")
    external_ref = models.CharField(max_length=200, blank=True)
    is_confidential = models.BooleanField(default=False)
    sealing_job = models.ForeignKey(
        Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="What last brought its files to what is_confidential says.",
    )  # fmt: skip
    archived_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)

    objects = MeetingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="a_meeting_has_a_title"),
            models.CheckConstraint(
                condition=Q(scheduled_start__isnull=True)
                | Q(scheduled_end__isnull=True)
                | Q(scheduled_end__gte=F("scheduled_start")),
                name="a_meeting_does_not_end_before_it_starts",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="meetings_of_organization"),
            models.Index(
                fields=["organization", "external_ref"], name="meetings_by_external_ref", condition=~Q(external_ref="")
            ),
        ]

    def __str__(self) -> str:
        return self.title
