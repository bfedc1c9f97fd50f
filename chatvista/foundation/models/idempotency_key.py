"""The memory of an answered request, so that a retried POST gets the same answer and does nothing twice."""

from __future__ import annotations

from django.db import models

from chatvista.foundation.records import Record


class IdempotencyKey(Record):
    """One key of one caller: the fingerprint of what was asked, and the answer once there is one."""

    caller = models.UUIDField()
    route = models.CharField(max_length=300)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    headers = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "route", "key"], name="one_answer_per_idempotency_key"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.key} on {self.route}"
