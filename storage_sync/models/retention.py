"""How long files are kept, and the record of those that were removed for good."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from chatvista.foundation.records import Record
from storage_sync.vocabulary import Category


class RetentionPolicy(Record):
    """For one tenant and category (or, with no tenant, for every tenant without one of its own).

    Days are counted from `stored_at` for archiving and from `archived_at` for purging; None is never.
    """

    tenant_id = models.UUIDField(null=True, blank=True)
    category = models.CharField(max_length=20, choices=Category)
    archive_after_days = models.PositiveIntegerField(null=True, blank=True)
    purge_after_days = models.PositiveIntegerField(null=True, blank=True)

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
                condition=Q(purge_after_days__isnull=True) | Q(purge_after_days__gte=1),
                name="nothing_is_purged_at_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} of {self.tenant_id or 'everybody'}"


class Deletion(models.Model):
    """One file that was purged: what it was, why and when. Written with the purge, never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_id = models.UUIDField(unique=True)
    tenant_id = models.UUIDField(null=True)
    category = models.CharField(max_length=20)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    stored_at = models.DateTimeField()
    archived_at = models.DateTimeField()
    purged_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    policy_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant_id", "purged_at"], name="deletions_of_a_tenant")]

    def __str__(self) -> str:
        return f"{self.file_id}: {self.reason}"
