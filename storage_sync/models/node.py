"""The machines and containers that hold a local side, and when each last gave a sign of life."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from chatvista.foundation.records import Record
from storage_sync.querysets import NodeQuerySet


class Node(Record):
    """One local side. `disk_id` is written on the disk, too: another one there means that the disk was replaced.

    A node whose heartbeat is old is declared dead by another: its copies no longer count. One that comes back looks at
    what its disk still holds.
    """

    name = models.CharField(max_length=255, unique=True)
    disk_id = models.UUIDField()
    is_durable = models.BooleanField(default=False, help_text="Whether its disk outlives the container.")
    heartbeat_at = models.DateTimeField()
    died_at = models.DateTimeField(null=True, blank=True)
    free_bytes = models.PositiveBigIntegerField(default=0)
    total_bytes = models.PositiveBigIntegerField(default=0)

    objects = NodeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["heartbeat_at"], condition=Q(died_at__isnull=True), name="living_nodes")]

    def __str__(self) -> str:
        return f"{self.name}{' (dead)' if self.died_at else ''}"
