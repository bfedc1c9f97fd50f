"""Work as a row with a lease: claimed, renewed and finished only by conditional UPDATEs that name a token.

A worker that was killed lets its lease run out and another takes over at the step it was in; a worker that was
merely slow finds its token gone and cannot commit (fencing). Who runs the work is in `working`.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from chatvista.foundation.records import Record


class State(models.TextChoices):
    """The life of a piece of work."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class LeaseLostError(Exception):
    """The work is no longer ours: the lease ran out, or somebody cancelled it."""


def in_seconds(seconds: float) -> models.expressions.CombinedExpression:
    """That long from now, by the database's clock: workers' clocks are not to be trusted with leases."""
    return Now() + timedelta(seconds=seconds)


def due() -> Q:
    """Which work may be taken: waiting and due, or running under a lease that has run out."""
    return Q(state=State.QUEUED, next_attempt_at__lte=Now()) | Q(state=State.RUNNING, lease_until__lt=Now())


class LeasedWork(Record):
    """Base of work that survives its worker. `params` is the full snapshot of the options, kept over retries;
    `checkpoint` is what finished steps leave for the next attempt.
    """

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    step = models.CharField(max_length=40, blank=True)
    progress = models.FloatField(default=0.0)
    params = models.JSONField(default=dict)
    checkpoint = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="%(class)s_progress_is_a_share"),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="%(class)s_running_work_has_a_lease",
            ),
        ]

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in {State.COMPLETED, State.FAILED, State.CANCELLED}

    def claim(self) -> bool:
        """Take the work under a fresh token; False when it is not due or somebody else was faster."""
        token = uuid.uuid4()
        taken = (
            self._rows()
            .filter(due())
            .update(
                state=State.RUNNING,
                lease_token=token,
                lease_until=in_seconds(settings.JOB_LEASE_SECONDS),
                heartbeat_at=Now(),
                attempts=F("attempts") + 1,
                error_code="",
                error_detail="",
                updated_at=Now(),
            )
        )
        if taken:
            self.refresh_from_db()
        return bool(taken) and self.lease_token == token

    def renew(self) -> bool:
        """Keep the lease for another while; False when it is lost."""
        return bool(self._held().update(lease_until=in_seconds(settings.JOB_LEASE_SECONDS), heartbeat_at=Now()))

    def note(self, **fields: object) -> None:
        """Write fields (step, progress, checkpoint) while the lease holds; raises LeaseLostError otherwise."""
        if not self._held().update(**fields, updated_at=Now()):
            raise LeaseLostError(f"{self.pk} is no longer ours")
        for name, value in fields.items():
            setattr(self, name, value)

    def settle(self, state: State, *, error_code: str = "", error_detail: str = "", delay: float = 0.0) -> None:
        """Give the lease back in a new state; raises LeaseLostError when it is not ours to give.

        Inside a transaction that writes the result this is the fence: a worker that lost its lease rolls back.
        """
        fields: dict[str, object] = {
            "state": state,
            "lease_token": None,
            "lease_until": None,
            "error_code": error_code,
            "error_detail": error_detail[:2000],
            "updated_at": Now(),
        }
        if state == State.COMPLETED:
            fields |= {"progress": 1.0, "checkpoint": {}}
        if state == State.QUEUED:
            fields["next_attempt_at"] = in_seconds(delay)
        else:
            fields["finished_at"] = Now()
        if not self._held().update(**fields):
            raise LeaseLostError(f"{self.pk} is no longer ours")
        self.refresh_from_db()

    def _rows(self) -> models.QuerySet[Self]:
        return type(self)._default_manager.filter(pk=self.pk)  # noqa: SLF001  Django's documented name

    def _held(self) -> models.QuerySet[Self]:
        return self._rows().filter(state=State.RUNNING, lease_token=self.lease_token)
