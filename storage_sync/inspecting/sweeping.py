"""Finishing or dropping what a killed process left: reservations, their leftovers, and temporary files.

Bytes that landed and verify are adopted, never deleted for being late; what was abandoned is never adopted.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import Counter

import structlog
from django.conf import settings
from django.db.models.functions import Now

from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import WorkError
from storage_sync import fingerprints
from storage_sync.arriving import replicating, settling
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

AT_ONCE = 200
# A Space that hangs costs a minute a file: after this long the rest is left to the next sweep, which begins with it,
# so that sweeps do not pile up until no process is left for anything else.
LONGEST_SECONDS = 45.0
# Bytes that landed on another node can only be put from there: it is given this long to come back.
GRACE_SECONDS = 900
# An hour without a byte written: whoever began it is dead, and large ones would fill the disk.
TEMP_SECONDS = 3_600


def sweep_reservations() -> Counter[str]:
    """Settle every reservation whose lease has run out; how many were finished, dropped, or left for later."""
    verdicts: Counter[str] = Counter()
    overdue = StoredFile.objects.overdue_reservations(node=settings.STORAGE_NODE, grace_seconds=GRACE_SECONDS)
    until = time.monotonic() + LONGEST_SECONDS
    for file_id, _ in list(overdue.order_by("lease_until").values_list("pk", "lease_until")[:AT_ONCE]):
        if time.monotonic() > until:
            break
        file = _claim(file_id)
        if file is not None:
            verdicts[_settle_safely(file)] += 1
    verdicts["leftovers"] = _remove_leftovers(until)
    verdicts["temporary"] = local().forget_older(folder="temp", seconds=TEMP_SECONDS)
    if verdicts.total():
        logger.info("reservations_swept", **verdicts)
    return verdicts


def _claim(file_id: uuid.UUID) -> StoredFile | None:
    """Take a reservation over; one of several sweepers wins, and the process that was slow has lost."""
    overdue = StoredFile.objects.filter(pk=file_id, state=FileState.RESERVED, lease_until__lt=Now())
    token = uuid.uuid4()
    if not overdue.update(lease_token=token, lease_until=in_seconds(settling.LEASE_SECONDS)):
        return None
    return StoredFile.objects.get(pk=file_id)


def _settle_safely(file: StoredFile) -> str:
    """One reservation that cannot be settled now must not keep the others waiting."""
    try:
        return _settle(file)
    except LeaseLostError:
        return "taken_over"
    except WorkError as error:
        # The lease runs out by itself, and the next sweep tries again.
        logger.warning("reservation_left_for_later", file=str(file.pk), code=error.code)
        return "later"
    except Exception:
        logger.exception("reservation_cannot_be_settled", file=str(file.pk))
        return "failed"


def _settle(file: StoredFile) -> str:
    lease, side = settling.Lease(file), cloud()
    path = local().path(file.key)
    on_local = path.is_file() and fingerprints.sha256_of_path(path, pulse=lease) == file.held_sha256
    if on_local and settings.STORAGE_ACK == "local":
        settling.finish(file_id=file.pk, token=lease.token, on_cloud=False, on_local=True)
        return "finished"
    if on_local and side is not None:
        replicating.put_verified(file=file, token=lease.token, side=side, pulse=lease)
    on_cloud = side is not None and (on_local or _is_right_in_cloud(file, side, lease))
    if on_local or on_cloud:
        settling.finish(file_id=file.pk, token=lease.token, on_cloud=on_cloud, on_local=on_local)
        return "finished"
    settling.drop(file_id=file.pk, token=lease.token)
    return "dropped"


def _is_right_in_cloud(file: StoredFile, side: CloudSide, lease: settling.Lease) -> bool:
    """Whether the object is whole. No disk vouches for it here, so it is read once and its sha256 compared."""
    found = side.head(key=file.key)
    if found is None or found.size != file.held_size:
        return False
    digest = hashlib.sha256()
    for chunk in side.read(key=file.key):
        digest.update(chunk)
        lease()
    return digest.hexdigest() == file.held_sha256


def _remove_leftovers(until: float) -> int:
    removed = 0
    for copy in Copy.objects.leftovers(node=settings.STORAGE_NODE).select_related("file")[:AT_ONCE]:
        if time.monotonic() > until:
            break
        side = cloud() if copy.side == SideName.CLOUD else local()
        if side is None:
            continue
        try:
            side.delete(key=copy.file.key)
        except WorkError as error:
            # Later, so that what cannot be removed does not keep what can be out of the first rows.
            Copy.objects.filter(pk=copy.pk).update(next_attempt_at=in_seconds(settling.LATE_SECONDS))
            logger.warning("leftover_stays_for_now", key=copy.file.key, code=error.code)
            continue
        Copy.objects.filter(pk=copy.pk).update(state=CopyState.MISSING, updated_at=Now())
        removed += 1
    return removed
