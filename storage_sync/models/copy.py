"""Where the bytes of a file are. The set of copies of a file is its durability."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from chatvista.foundation.records import Record
from storage_sync.models.stored_file import StoredFile
from storage_sync.querysets import CopyQuerySet
from storage_sync.vocabulary import CopyState, SideName


class Copy(Record):
    """One copy: on one side, of one node where the side has nodes, and what was last known about it.

    A copy that is not present is to be made when `next_attempt_at` has come; never, where it is None (an evicted cache
    entry is made again by whoever reads it). Whoever makes it holds it by a lease.

    A copy that is present and has a `next_attempt_at` may lie under the other name of its file, archived or live: its
    node follows the move then (see `following`). Of a file that is purged, `next_attempt_at` says when its
    place is to be emptied, or looked at once more, and `attempts` how often it was found empty.
    """

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="copies")
    side = models.CharField(max_length=5, choices=SideName)
    node = models.CharField(max_length=255, blank=True, help_text="The machine, on the local side; empty elsewhere.")
    state = models.CharField(max_length=7, choices=CopyState, default=CopyState.PENDING)
    verified_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = CopyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "copies"
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=~Q(state="present"), name="copies_to_look_after"),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state="present", next_attempt_at__isnull=False),
                name="copies_to_settle",
            ),
            models.Index(
                fields=["node", "next_attempt_at"],
                condition=~Q(node="") & Q(next_attempt_at__isnull=False),
                name="copies_due_on_a_node",
            ),
            models.Index(fields=["verified_at"], condition=Q(state="present"), name="copies_by_age_of_proof"),
            models.Index(
                fields=["side", "node", "verified_at"], condition=Q(state="present"), name="copies_of_a_place_by_proof"
            ),
            models.Index(fields=["node", "state"], condition=~Q(node=""), name="copies_of_a_node"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["file", "side", "node"], name="a_place_has_one_copy_of_a_file"),
            models.CheckConstraint(
                condition=(Q(side="local") & ~Q(node="")) | (~Q(side="local") & Q(node="")),
                name="only_the_local_side_has_nodes",
            ),
            models.CheckConstraint(
                condition=~Q(state="present") | Q(verified_at__isnull=False), name="a_present_copy_was_verified"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side}{f' ({self.node})' if self.node else ''}: {self.state}"
