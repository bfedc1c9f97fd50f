"""Looking after the copies: what each reconciliation and scrub found, objects nobody knows, and the canaries."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from chatvista.foundation.records import Record
from storage_sync.vocabulary import SideName


class InspectionKind(models.TextChoices):
    """Reconciling compares lists; scrubbing reads bytes."""

    RECONCILIATION = "reconciliation"
    SCRUB = "scrub"


class Inspection(Record):
    """One run: how much it looked at, how many of each verdict it gave, and why it stopped if it did."""

    kind = models.CharField(max_length=14, choices=InspectionKind)
    node = models.CharField(max_length=255)
    is_dry_run = models.BooleanField(default=False)
    is_partial = models.BooleanField(default=False, help_text="Of some categories only.")
    finished_at = models.DateTimeField(null=True, blank=True)
    files = models.PositiveBigIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)
    verdicts = models.JSONField(default=dict)
    aborted = models.TextField(blank=True, help_text="The guard that stopped it, in a sentence.")

    class Meta:
        indexes = [models.Index(fields=["kind", "-created_at"], name="inspections_by_kind")]
        constraints = [
            models.CheckConstraint(
                condition=Q(aborted="") | Q(finished_at__isnull=False), name="an_aborted_inspection_is_over"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.created_at:%Y-%m-%d %H:%M}"


class UnknownObject(models.Model):
    """Something on a side that no row explains: left alone until it is old and was seen twice, then quarantined."""

    side = models.CharField(max_length=5, choices=SideName)
    node = models.CharField(max_length=255, blank=True)
    key = models.CharField(max_length=1024)
    size = models.PositiveBigIntegerField()
    sightings = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    quarantined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["side", "node", "key"], name="an_unknown_object_is_noted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.side}: {self.key}"


class Canary(models.Model):
    """What was written on a side when it was first looked at: a side that does not show it is not the one we know.

    `token` stands in the object, signed. `disk_id` is that of the node's disk at the time, on the local side. The row
    comes before the object: until it says when the object was `planted_at`, anything may lie there, and is replaced.
    """

    side = models.CharField(max_length=5, choices=SideName)
    node = models.CharField(max_length=255, blank=True)
    token = models.UUIDField()
    disk_id = models.UUIDField(null=True, blank=True)
    planted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "canaries"
        constraints = [models.UniqueConstraint(fields=["side", "node"], name="a_side_has_one_canary")]

    def __str__(self) -> str:
        return f"{self.side}{f' ({self.node})' if self.node else ''}"
