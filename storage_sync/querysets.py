"""Which rows of the ledger: named questions, so that no caller spells out states."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from storage_sync.vocabulary import CopyState, FileState, SideName

if TYPE_CHECKING:
    from storage_sync.models import Copy, Node, StoredFile  # noqa: F401  named as strings below


class StoredFileQuerySet(QuerySet["StoredFile"]):
    """Files by where they are in their life."""

    def stored(self) -> Self:
        """Files that may be seen."""
        return self.filter(state=FileState.STORED)

    def readable(self) -> Self:
        """Files whose bytes must be there: stored, or archived and thus restorable."""
        return self.filter(state__in=[FileState.STORED, FileState.ARCHIVED])

    def overdue_reservations(self, *, node: str, grace_seconds: float) -> Self:
        """Reservations nobody works on any more, that this node may finish or drop.

        Those whose bytes landed on another node are left to it for a while: only it can read them. Nothing waits for a
        node that is dead.
        """
        from storage_sync.models import Copy, Node  # noqa: PLC0415  the models name these querysets as their managers

        dead = Node.objects.silent().values("name")
        landed = Copy.objects.filter(file=OuterRef("pk"), side=SideName.LOCAL).exclude(state=CopyState.MISSING)
        overdue = self.filter(state=FileState.RESERVED, lease_until__lt=Now())
        return overdue.filter(
            Exists(landed.filter(node=node))
            | ~Exists(landed.exclude(node__in=dead))
            | Q(lease_until__lt=in_seconds(-grace_seconds))
        )

    def due_to_move(self) -> Self:
        """Files with bytes at a second key that is due: to be moved there, or to be deleted there."""
        # Without a second key nothing has a term. To say so lets the database look at `files_on_their_way` alone.
        due = self.exclude(other_key="").filter(other_key_until__lte=Now())
        return due.filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=Now()), state__in=[FileState.STORED, FileState.ARCHIVED]
        )

    def within_reach(self, *, node: str) -> Self:
        """Files of which this node can reach a copy that is said to be right, or of which nobody has one."""
        from storage_sync.models import Copy  # noqa: PLC0415  the models name these querysets as their managers

        present = Copy.objects.present().filter(file=OuterRef("pk"))
        reachable = ~Q(side=SideName.LOCAL) | Q(node=node)
        return self.filter(Exists(present.filter(reachable)) | ~Exists(present))

    def used_bytes(self, tenant_id: uuid.UUID | None) -> int:
        """Bytes a tenant has stored or is storing right now, unfinished uploads included; what quotas are held against.

        Archived files do not count: who deletes expects room. How long they are kept is for a retention policy to say.
        """
        from storage_sync.models import Upload  # noqa: PLC0415  the models name these querysets as their managers

        counted = self.filter(tenant_id=tenant_id, state__in=[FileState.STORED, FileState.RESERVED])
        under_way = Upload.objects.filter(tenant_id=tenant_id, state__in=["open", "finishing"], file__isnull=True)
        total = Sum("size", default=0)
        return int(counted.aggregate(total=total)["total"]) + int(under_way.aggregate(total=total)["total"])


class CopyQuerySet(QuerySet["Copy"]):
    """Copies by what is known about them."""

    def present(self) -> Self:
        """Copies whose bytes were there and right when last looked at."""
        return self.filter(state=CopyState.PRESENT)

    def due_on(self, *, node: str) -> Self:
        """What this node is to make, move or look at on its own disk by now."""
        # The node is not "": said for the database, which has an index of what is due on nodes.
        return self.exclude(node="").filter(side=SideName.LOCAL, node=node, next_attempt_at__lte=Now())

    def leftovers(self, *, node: str) -> Self:
        """What abandoned reservations may have left in the cloud or on this node, when it is time to remove it."""
        here = Q(side=SideName.CLOUD) | Q(side=SideName.LOCAL, node=node)
        return (
            self.filter(here, file__state=FileState.ABANDONED)
            .exclude(state=CopyState.MISSING)
            .filter(Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=Now()))
        )


class NodeQuerySet(QuerySet["Node"]):
    """Nodes by whether they were heard of lately, by the database's clock."""

    def living(self) -> Self:
        """Those that are heard."""
        return self.filter(died_at=None, heartbeat_at__gt=in_seconds(-settings.NODE_DEAD_SECONDS))

    def silent(self) -> Self:
        """Those that are not, buried or not yet."""
        return self.filter(~Q(died_at=None) | Q(heartbeat_at__lte=in_seconds(-settings.NODE_DEAD_SECONDS)))
