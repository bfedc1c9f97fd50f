"""How long files are kept, what must not be removed, and the record of what was removed for good."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from chatvista.foundation.records import Record
from storage_sync.models.stored_file import StoredFile
from storage_sync.vocabulary import Category

LONGEST_DAYS = 36_500


class RetentionPolicy(Record):
    """For one tenant and category (or, with no tenant, for every tenant without one of its own).

    Days of 24 hours are counted from when a file was stored or last restored for archiving, and from `archived_at` for
    purging; None is never. `revision` counts changes, so that a lost update is noticed.
    """

    tenant_id = models.UUIDField(null=True, blank=True)
    category = models.CharField(max_length=20, choices=Category)
    archive_after_days = models.PositiveIntegerField(null=True, blank=True)
    purge_after_days = models.PositiveIntegerField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "retention policies"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "category"], nulls_distinct=False, name="a_tenant_has_one_policy_for_a_category"
            ),
            models.CheckConstraint(
                condition=Q(archive_after_days__isnull=False) | Q(purge_after_days__isnull=False),
                name="a_policy_says_something",
            ),
            models.CheckConstraint(
                condition=Q(archive_after_days__isnull=True) | Q(archive_after_days__range=(1, LONGEST_DAYS)),
                name="nothing_is_archived_at_once",
            ),
            models.CheckConstraint(
                condition=Q(purge_after_days__isnull=True) | Q(purge_after_days__range=(1, LONGEST_DAYS)),
                name="nothing_is_purged_at_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} of {self.tenant_id or 'everybody'}"


class LegalHold(Record):
    """Why a file must not be purged, since when and on whose word. Lifting it keeps the row."""

    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="legal_holds")
    reason = models.CharField(max_length=500)
    put_by = models.UUIDField(null=True)
    is_operators = models.BooleanField(default=False, help_text="Put by an operator, and lifted by operators alone.")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.UUIDField(null=True, blank=True)
    lifted_because = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["file"], condition=Q(lifted_at__isnull=True), name="a_file_has_one_hold_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class Deletion(Record):
    """One file that was or is being removed for good: what it was, why, and on whose word.

    Written in the transaction after which nothing brings the file back (`begun_at`), before its first byte goes.
    `completed_at` is added once, when every place that held it was looked at and held nothing any more.
    """

    file_id = models.UUIDField(unique=True)
    tenant_id = models.UUIDField(null=True)
    category = models.CharField(max_length=20)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    stored_at = models.DateTimeField()
    archived_at = models.DateTimeField()
    begun_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500)
    policy_id = models.UUIDField(null=True)
    ordered_by = models.UUIDField(null=True, help_text="The operator; empty when a policy did it.")

    class Meta:
        indexes = [models.Index(fields=["tenant_id", "-id"], name="deletions_of_a_tenant")]

    def __str__(self) -> str:
        return f"{self.file_id}: {self.reason}"
