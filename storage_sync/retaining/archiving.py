"""Deleting softly, and taking it back: the row changes at once, the bytes follow in their own time.

A file has its bytes at `key`, always. While they move, `other_key` names the second place, and `other_key_until` when
that place is to be settled: moved to if the file belongs there, else emptied. Whatever is killed in between leaves
both names in the row, so that the next run takes it up; restoring only changes where the file belongs.

The key changes once, by a node that has proven right bytes under the new one: the Space's, or its own where the Space
has none. Copies of other nodes still lie under the old key then: they are due, and their nodes follow (`following`).
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import Problem, TransientError, WorkError
from storage_sync import keys
from storage_sync.arriving import replicating, settling
from storage_sync.damage import healing
from storage_sync.disk import verifying
from storage_sync.models import Copy, StoredFile
from storage_sync.querysets import StoredFileQuerySet
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.contract import Found, MissingObjectError, OccupiedKeyError, Side
from storage_sync.sides.local import local
from storage_sync.signals import file_archived
from storage_sync.vocabulary import FileState, SideName

logger = structlog.get_logger(__name__)

# There are no bytes to move.
DAMAGED = FileState.LOST, FileState.QUARANTINED
AT_ONCE = 200
TRY_AGAIN_SECONDS = 300
# As in sweeping: the rest is left to the next run, rather than that runs pile up while a Space hangs.
LONGEST_SECONDS = 45.0


def archive(file: StoredFile, *, policy_id: uuid.UUID | None = None) -> bool:
    """Make a file invisible, in the caller's transaction if there is one.

    A lost or quarantined one stays what it is, and only goes out of sight; nothing happens to one in any other state.
    Whether it was this call that archived the file; `policy_id` is the retention policy that did, for the audit log.
    """
    with transaction.atomic():
        stored = StoredFile.objects.filter(pk=file.pk, state=FileState.STORED)
        moves = stored.update(state=FileState.ARCHIVED, archived_at=Now(), updated_at=Now())
        if moves:
            _send_bytes(file.pk)
        damaged = StoredFile.objects.filter(pk=file.pk, state__in=DAMAGED, archived_at__isnull=True)
        changed = moves or damaged.update(archived_at=Now(), updated_at=Now())
        if changed:
            told: dict[str, Any] = {} if policy_id is None else {"policy": str(policy_id)}
            audit.record(
                action="file.archived", target_kind="file", target_id=file.pk, tenant_id=file.tenant_id, **told
            )
            file_archived.send(sender=StoredFile, file=StoredFile.objects.get(pk=file.pk))
    file.refresh_from_db()
    return bool(changed)


def restore(file: StoredFile) -> None:
    """Make an archived file visible again, a lost or quarantined one as what it is; one in sight is left as it is.

    Problem 409 `not_restorable` otherwise.
    """
    with transaction.atomic():
        archived = StoredFile.objects.filter(pk=file.pk, state=FileState.ARCHIVED)
        changed = archived.update(state=FileState.STORED, archived_at=None, restored_at=Now(), updated_at=Now())
        if changed:
            _send_bytes(file.pk)
        damaged = StoredFile.objects.filter(pk=file.pk, state__in=DAMAGED, archived_at__isnull=False)
        if changed or damaged.update(archived_at=None, updated_at=Now()):
            audit.record(action="file.restored", target_kind="file", target_id=file.pk, tenant_id=file.tenant_id)
    file.refresh_from_db()
    if file.state not in {FileState.STORED, *DAMAGED}:
        raise Problem("not_restorable", f"A file that is {file.state} cannot be restored.", status=409)


def move_archived() -> Counter[str]:
    """Bring bytes to where their files belong and empty second places whose time has come; a count per verdict."""
    verdicts: Counter[str] = Counter()
    until = time.monotonic() + LONGEST_SECONDS
    due = StoredFile.objects.due_to_move().within_reach(node=settings.STORAGE_NODE).order_by("other_key_until")
    for file_id in list(due.values_list("pk", flat=True)[:AT_ONCE]):
        if time.monotonic() > until:
            break
        file = _claim(file_id)
        if file is None:
            continue
        try:
            verdicts[_settle(file)] += 1
        except LeaseLostError:
            _held(file).update(lease_token=None, lease_until=None)
            verdicts["taken_over"] += 1
        except (WorkError, OSError) as error:
            logger.warning("archive_move_postponed", key=file.key, error=str(error))
            _held(file).update(lease_token=None, lease_until=None, other_key_until=in_seconds(TRY_AGAIN_SECONDS))
            verdicts["postponed"] += 1
    return verdicts


def _home(file: StoredFile) -> str:
    """The key under which the bytes of a file belong, by its state."""
    return keys.archive_key(file.key) if file.state == FileState.ARCHIVED else keys.live_key(file.key)


def _send_bytes(file_id: uuid.UUID) -> None:
    """Note, with the row locked by the change of its state, that its bytes are to move; if they are."""
    file = StoredFile.objects.get(pk=file_id)
    if file.key != _home(file):
        StoredFile.objects.filter(pk=file_id).update(other_key=_home(file), other_key_until=Now())


def _claim(file_id: uuid.UUID) -> StoredFile | None:
    due = StoredFile.objects.due_to_move().filter(pk=file_id)
    if not due.update(lease_token=uuid.uuid4(), lease_until=in_seconds(settling.LEASE_SECONDS)):
        return None
    return StoredFile.objects.get(pk=file_id)


def _held(file: StoredFile) -> StoredFileQuerySet:
    return StoredFile.objects.filter(pk=file.pk, lease_token=file.lease_token)


def _settle(file: StoredFile) -> str:
    if file.key == _home(file):
        return _empty_other_place(file)
    on_cloud = _copy_in_cloud(file)
    # Another node may have right bytes under the old key alone: an unproven copy must not take their name.
    on_local = _copy_locally(file, must_be_proven=not on_cloud)
    if not on_local and not on_cloud:
        raise TransientError("nothing_to_move", "Neither side has the bytes at their key.")
    with transaction.atomic():
        # Restored or archived again meanwhile, the file belongs elsewhere and the next run settles it.
        flipped = _held(file).filter(state=file.state, key=file.key)
        if not flipped.update(
            key=_home(file),
            other_key=file.key,
            other_key_until=in_seconds(settings.LINK_SECONDS),
            lease_token=None,
            lease_until=None,
            updated_at=Now(),
        ):
            raise LeaseLostError(f"{file.pk} changed meanwhile")
        _have_nodes_follow(file)
    return "moved"


def _have_nodes_follow(file: StoredFile) -> None:
    """Copies on other disks are looked after by their own nodes: at once, and here when the old key is emptied."""
    copies = Copy.objects.filter(file=file, side=SideName.LOCAL).present()
    copies.exclude(node=settings.STORAGE_NODE).update(next_attempt_at=Now(), updated_at=Now())
    copies.filter(node=settings.STORAGE_NODE).update(
        next_attempt_at=in_seconds(settings.LINK_SECONDS), updated_at=Now()
    )  # fmt: skip


def _empty_other_place(file: StoredFile) -> str:
    """Delete the bytes at the second key: the longest link to them has expired, or nobody ever had one.

    A side that was away when the file moved still has them there alone; on it they are moved first.
    """
    sides: list[Side | None] = [local(), cloud()]
    for side in sides:
        if side is None:
            continue
        there, other = side.head(key=file.key), side.head(key=file.other_key)
        if other is not None and not _is_right(there, file) and _is_right(other, file):
            side.delete(key=file.key)
            side.copy(key=file.other_key, to=file.key)
        # The answers may have taken longer than the lease, and the file may belong at the other key again by now.
        if not _held(file).filter(state=file.state).update(lease_until=in_seconds(settling.LEASE_SECONDS)):
            raise LeaseLostError(f"{file.pk} changed meanwhile")
        side.delete(key=file.other_key)
    with transaction.atomic():
        emptied = _held(file).filter(state=file.state)
        if not emptied.update(other_key="", other_key_until=None, lease_token=None, lease_until=None):
            raise LeaseLostError(f"{file.pk} changed meanwhile")
        # A node that was killed while it moved may have left the other name on its disk.
        elsewhere = Copy.objects.filter(file=file, side=SideName.LOCAL).present()
        elsewhere.exclude(node=settings.STORAGE_NODE).update(next_attempt_at=Now(), updated_at=Now())
    return "emptied"


def _copy_locally(file: StoredFile, *, must_be_proven: bool) -> bool:
    here, home = local(), _home(file)
    try:
        here.copy(key=file.key, to=home)
    except MissingObjectError:
        return False
    except OccupiedKeyError:
        logger.info("already_moved", key=file.key)
    if must_be_proven and not verifying.holds(file=file, path=here.path(home)):
        here.delete(key=home)
        raise TransientError("archive_copy_damaged", "The only bytes within reach are damaged.")
    return True


def _copy_in_cloud(file: StoredFile) -> bool:
    side = cloud()
    if side is None:
        return False
    try:
        side.copy(key=file.key, to=_home(file))
    except MissingObjectError:
        healing.note_cloud_missing(file)
        # A late delete may have hit the key after the bytes were where they belong.
        return _is_right(side.head(key=_home(file)), file)
    except OccupiedKeyError:
        logger.info("already_copied", key=file.key)
    if not _is_same(file, side):
        side.delete(key=_home(file))
        raise TransientError("archive_copy_damaged", "The Space did not copy what it holds.")
    return True


def _is_right(found: Found | None, file: StoredFile) -> bool:
    """Whether what lies there may be the file's bytes, as far as a side tells without reading them."""
    if found is None or found.size != file.held_size:
        return False
    return found.etag is None or not file.etags or found.etag in file.etags


def _is_same(file: StoredFile, side: CloudSide) -> bool:
    """Whether the object at the new key is the one at the old, by our own MD5s where we have them."""
    copied = side.head(key=_home(file))
    if file.etags:
        return replicating.vouches(found=copied, file=file)
    original = side.head(key=file.key)
    return copied is not None and original is not None and (copied.size, copied.etag) == (original.size, original.etag)
