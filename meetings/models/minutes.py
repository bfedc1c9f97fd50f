"""Minutes: lines that each point at the moment they rest on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from chatvista.foundation.leases import State
from chatvista.foundation.models import Job
from chatvista.foundation.records import Record
from meetings.models.meeting import Meeting
from meetings.models.participant import Participant
from meetings.models.transcript import Segment, Transcript
from meetings.querysets import MinutesQuerySet


class MinutesStatus(models.TextChoices):
    """Where finished minutes stand between people."""

    DRAFT = "draft"
    REVIEW = "review"
    APPROVED = "approved"
    PUBLISHED = "published"


class Section(models.TextChoices):
    """The parts of minutes."""

    SUMMARY = "summary"
    TOPICS = "topics"
    DECISIONS = "decisions"
    ACTION_ITEMS = "action_items"
    OPEN_QUESTIONS = "open_questions"


class ActionStatus(models.TextChoices):
    """Where an action item stands."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class Minutes(Record):
    """One version of the minutes of a meeting, written from one transcript by one engine."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="minutes")
    transcript = models.ForeignKey(Transcript, on_delete=models.PROTECT, related_name="minutes")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=MinutesStatus, default=MinutesStatus.DRAFT)
    template = models.CharField(max_length=40, default="corporate")
    language = models.CharField(max_length=20, blank=True)
    engine = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=100, blank=True)
    coverage = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=1)

    objects = MinutesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "minutes"
        constraints = [
            models.UniqueConstraint(fields=["meeting", "version"], name="minutes_versions_are_counted_by_meeting")
        ]

    def __str__(self) -> str:
        return f"Minutes {self.version} of {self.meeting_id}"

    @property
    def is_written(self) -> bool:
        """Whether the engine has finished."""
        return self.job.state == State.COMPLETED

    @property
    def shown_status(self) -> str:
        """The status people see: `pending` or `failed` until they are written."""
        if self.is_written:
            return self.status
        return "failed" if self.job.is_finished else "pending"


class MinutesItem(Record):
    """One line of minutes. Owner, due date and status belong to action items alone."""

    minutes = models.ForeignKey(Minutes, on_delete=models.CASCADE, related_name="items")
    section = models.CharField(max_length=20, choices=Section)
    position = models.PositiveIntegerField()
    text = models.TextField()
    owner = models.ForeignKey(
        Participant, on_delete=models.SET_NULL, null=True, blank=True, related_name="action_items"
    )
    owner_name = models.CharField(max_length=200, blank=True)
    due_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=ActionStatus, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["minutes", "section", "position"], name="minutes_items_have_one_order"),
            models.CheckConstraint(
                condition=Q(section="action_items") & ~Q(status="")
                | ~Q(section="action_items") & Q(status="", owner__isnull=True, owner_name="", due_on__isnull=True),
                name="only_action_items_have_an_owner_and_a_status",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]


class ActionItem(MinutesItem):
    """The lines of minutes that somebody has to do, as a list of their own."""

    class Meta:
        proxy = True


class Citation(Record):
    """The evidence of one line: a segment that exists, the moment, and the words."""

    item = models.ForeignKey(MinutesItem, on_delete=models.CASCADE, related_name="evidence")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    start_ms = models.PositiveBigIntegerField()
    quote = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "position"], name="citations_have_one_order")]

    def __str__(self) -> str:
        return self.quote[:80]
