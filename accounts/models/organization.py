"""The tenant: everything people make belongs to their organization."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from chatvista.foundation.records import Record


class Organization(Record):
    """A company, a club or one person on their own. Its id is the `tenant_id` that lower rooms carry."""

    name = models.CharField(max_length=200)
    quota_bytes = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Bytes it may keep; empty means the general quota."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="an_organization_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def allowed_bytes(self) -> int:
        """How many bytes its files may take up together."""
        general: int = settings.ORGANIZATION_QUOTA_BYTES
        return general if self.quota_bytes is None else self.quota_bytes
