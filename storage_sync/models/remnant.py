"""What is left at a key that no row names any more, and must go from every place that may still hold it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from storage_sync.vocabulary import SideName


class Remnant(models.Model):
    """Bytes at an earlier key of a file, in one place: removed at once and looked for again until `until`.

    Written in the transaction that gives the file its new key, for every place that had a copy; the node it names
    removes its own. What was being written there at that moment may still arrive, hence the second look.
    """

    side = models.CharField(max_length=5, choices=SideName)
    node = models.CharField(max_length=255, blank=True)
    key = models.CharField(max_length=255)
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["side", "node", "key"], name="a_remnant_is_noted_once"),
            models.CheckConstraint(
                condition=(Q(side="local") & ~Q(node="")) | (~Q(side="local") & Q(node="")),
                name="only_local_remnants_have_nodes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side}{f' ({self.node})' if self.node else ''}: {self.key}"
