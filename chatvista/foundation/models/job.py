"""The one table of work that clients can follow: `GET /jobs/{id}` looks nowhere else."""

from __future__ import annotations

from django.db import models

from chatvista.foundation.leases import LeasedWork


class Job(LeasedWork):
    """A piece of work for somebody: what kind, for which tenant, about which row (both opaque here)."""

    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=20)
    tenant_id = models.UUIDField(db_index=True)
    subject_id = models.UUIDField(db_index=True)

    class Meta(LeasedWork.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["next_attempt_at"], name="jobs_waiting", condition=models.Q(state="queued")),
            models.Index(fields=["lease_until"], name="jobs_leased", condition=models.Q(state="running")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"
