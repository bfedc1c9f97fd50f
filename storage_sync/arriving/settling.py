"""How a reservation ends: in one transaction, fenced by its lease, together with the row of its owner."""

from __future__ import annotations

import uuid

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.heartbeats import Pulse
from chatvista.foundation.leases import LeaseLostError, in_seconds
from storage_sync import waking
from storage_sync.models import Copy, StoredFile
from storage_sync.signals import file_dropped, file_stored
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

LEASE_SECONDS = 120
RENEW_SECONDS = 15.0
# A PUT that timed out may still arrive; what it leaves is removed after this.
LATE_SECONDS = 600


class Lease(Pulse):
    """A lease on a file's row. Raises LeaseLostError where there is none."""

    def __init__(self, file: StoredFile) -> None:
        if file.lease_token is None:
            raise LeaseLostError(f"{file.pk} has no lease")
        super().__init__(every=RENEW_SECONDS, name=f"file {file.pk}")
        self.file_id, self.token = file.pk, file.lease_token

    def renew(self) -> bool:
        """Keep the lease for another while; False when it is lost."""
        held = StoredFile.objects.filter(pk=self.file_id, lease_token=self.token)
        return bool(held.update(lease_until=in_seconds(LEASE_SECONDS)))


def finish(*, file_id: uuid.UUID, token: uuid.UUID, on_cloud: bool, on_local: bool) -> StoredFile:
    """Make a reservation a stored file, with the copies that were verified. Raises LeaseLostError.

    A cloud copy that nobody waited for is due from now on.
    """
    with transaction.atomic(durable=True):
        held = StoredFile.objects.filter(pk=file_id, state=FileState.RESERVED, lease_token=token)
        now_stored = held.update(
            state=FileState.STORED, stored_at=Now(), lease_token=None, lease_until=None, updated_at=Now()
        )
        if not now_stored:
            raise LeaseLostError(f"{file_id} is no longer ours")
        copies = Copy.objects.filter(file_id=file_id)
        present = {"state": CopyState.PRESENT, "verified_at": Now(), "error": "", "updated_at": Now()}
        in_cloud = copies.filter(side=SideName.CLOUD)
        if on_cloud:
            in_cloud.update(**present)
        elif in_cloud.update(next_attempt_at=Now(), updated_at=Now()):
            # robust: the copy is due whatever the broker says, and the next scan finds it.
            waking.wake()
        if not on_local:
            copies.filter(side=SideName.LOCAL).update(state=CopyState.MISSING, updated_at=Now())
        file = StoredFile.objects.get(pk=file_id)
        announce_stored(file)
    return file


def announce_stored(file: StoredFile, *, actor: uuid.UUID | None = None) -> None:
    """Put on record that a file is stored, and tell its owner; in the transaction that makes it true."""
    audit.record(
        action="file.stored",
        target_kind="file",
        target_id=file.pk,
        actor=actor,
        tenant_id=file.tenant_id,
        category=file.category,
        size=file.size,
        sha256=file.sha256,
    )
    file_stored.send(sender=StoredFile, file=file)


def drop(*, file_id: uuid.UUID, token: uuid.UUID) -> bool:
    """Abandon a reservation and tell its owner; False when it is not ours to abandon.

    What lies at its key is removed by the sweeper, once nothing can arrive any more.
    """
    with transaction.atomic(durable=True):
        held = StoredFile.objects.filter(pk=file_id, state=FileState.RESERVED, lease_token=token)
        if not held.update(state=FileState.ABANDONED, lease_token=None, lease_until=None, updated_at=Now()):
            return False
        Copy.objects.filter(file_id=file_id).exclude(side=SideName.LOCAL).update(
            next_attempt_at=in_seconds(LATE_SECONDS)
        )
        file_dropped.send(sender=StoredFile, file=StoredFile.objects.get(pk=file_id))
    return True


def note_copy(*, file: StoredFile, side: SideName, node: str = "", state: CopyState, error: str = "") -> None:
    """Write down what was just found out about one copy."""
    found: dict[str, object] = {"state": state, "error": error[:500], "updated_at": Now()}
    if state == CopyState.PRESENT:
        found |= {"verified_at": Now(), "attempts": 0, "next_attempt_at": None}
    else:
        found |= {"attempts": F("attempts") + 1}
    place = Copy.objects.filter(file=file, side=side, node=node)
    if not place.update(**found):
        Copy.objects.bulk_create([Copy(file=file, side=side, node=node)], ignore_conflicts=True)
        place.update(**found)
