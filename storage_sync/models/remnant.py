"""What lies, or may lie, at a key that no row names, and must go from the place that may hold it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from storage_sync.vocabulary import SideName


class Remnant(models.Model):
    """Bytes of a file at a key that is no longer its own, or not yet, in one place.

    The one kind is written in the transaction that gives a file a new key, for every place that may have a copy: it is
    removed when it is `due_at`, and looked for again until `until`, since what was on its way there may still arrive.
    The other is written before the first byte at a new key, by a `writer` who takes it back in the transaction that
    makes the key the file's own; one that was killed leaves it, and what it wrote is removed in time. Each node removes
    its own.
    """

    side = models.CharField(max_length=5, choices=SideName)
    node = models.CharField(max_length=255, blank=True)
    key = models.CharField(max_length=255)
    writer = models.UUIDField(null=True)
    due_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["side", "node", "due_at"], name="remnants_of_a_place")]
        constraints = [
            models.UniqueConstraint(fields=["side", "node", "key"], name="a_remnant_is_noted_once"),
            models.CheckConstraint(
                condition=(Q(side="local") & ~Q(node="")) | (~Q(side="local") & Q(node="")),
                name="only_local_remnants_have_nodes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side}{f' ({self.node})' if self.node else ''}: {self.key}"
