"""Settling one suspicion: the row and the side are looked at again, and only what still holds then is acted upon.

Every change of the ledger locks the file's row, compares what the judgement rested on, and is recorded with it. Bytes
are never deleted here but where the row says that the file is gone for good; what is wrong is put aside.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import TransientError, WorkError
from storage_sync import keys
from storage_sync.damage import losing, straying
from storage_sync.damage.healing import CONDEMN_SECONDS
from storage_sync.damage.quarantining import put_aside
from storage_sync.disk.evicting import FETCH_LOCK
from storage_sync.disk.locking import BusyError, alone_on_node
from storage_sync.inspecting import proving
from storage_sync.inspecting.places import Place, reachable
from storage_sync.inspecting.proving import Truth
from storage_sync.inspecting.verdicts import READABLE, Verdict
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import following
from storage_sync.sides.contract import Found
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

# An evicted file's row says so a moment before its bytes go.
EVICTION_SECONDS = 600
PATIENCE_SECONDS = 10.0


def settle(*, place: Place, file_id: uuid.UUID, is_dry_run: bool) -> Verdict:
    """Bring one file and its copy at one place into agreement. Raises TransientError, PermanentError, OSError."""
    file = StoredFile.objects.filter(pk=file_id).first()
    if file is None:
        return Verdict.CHANGED
    if file.state in {FileState.ABANDONED, FileState.PURGED}:
        return _clear(place, file, is_dry_run)
    if file.state not in {*READABLE, FileState.LOST}:
        return Verdict.CHANGED
    copy = Copy.objects.filter(file=file, side=place.name, node=place.node).first()
    if _is_busy(file, copy):
        return Verdict.BUSY
    seen = place.side.head(key=file.key)
    truth = proving.look(place=place, file=file, thoroughly=_is_doubted(place, file, copy))
    if truth == Truth.RIGHT:
        return _right(place, file, copy, is_dry_run)
    if file.state == FileState.LOST:
        has_strayed = place.is_cloud and not is_dry_run and straying.has_strayed(file)
        return Verdict.FOUND_AGAIN if has_strayed else Verdict.AGREE
    if truth == Truth.WRONG:
        return condemn(place=place, file=file, copy=copy, seen=seen, is_dry_run=is_dry_run)
    return _absent(place, file, copy, is_dry_run)


def _is_doubted(place: Place, file: StoredFile, copy: Copy | None) -> bool:
    """Whether the bytes are to be read before they are taken for right."""
    if file.state == FileState.LOST or (copy is not None and copy.state == CopyState.CORRUPT):
        return True  # they were read, and were wrong, whatever their ETag
    is_believed = copy is not None and copy.state == CopyState.PRESENT
    return not is_believed and not (place.is_cloud and file.etags)


def condemn(
    *, place: Place, file: StoredFile, copy: Copy | None, seen: Found | None, is_dry_run: bool = False
) -> Verdict:
    """The bytes at one place are wrong: put them aside and have them made again, if another copy is right.

    The other copy is read to prove it; of one on another node, which cannot be read from here, the ledger's word
    counts. Without any the file is lost, and the wrong bytes stay where they are: they may be the best there is.

    Nobody makes a copy in the Space meanwhile, which is held by a lease; what lay there by then is no longer as it
    was `seen` before it was read, and stays.
    """
    has_another = _is_elsewhere(place, file, is_dry_run, to_the_byte=True)
    if is_dry_run:
        return Verdict.DAMAGED if has_another is not False else Verdict.LOST
    error = "The bytes there were not the file's."
    token = uuid.uuid4() if place.is_cloud else None
    if not _change(place, file, copy, token, state=CopyState.CORRUPT, next_attempt_at=Now(), error=error):
        return Verdict.CHANGED
    logger.error("copy_damaged", place=str(place), file=str(file.pk), key=file.key)
    try:
        if has_another is None:
            return Verdict.UNREACHABLE
        if not has_another:
            return Verdict.LOST if _is_lost(file) else Verdict.DAMAGED
        with _alone(place, file):
            if seen is None or place.side.head(key=file.key) != seen:
                return Verdict.CHANGED
            put_aside(side=place.side, key=file.key)
        return Verdict.DAMAGED
    finally:
        if token is not None:
            held = Copy.objects.filter(file=file, side=place.name, node=place.node, lease_token=token)
            held.update(lease_token=None, lease_until=None)


@contextlib.contextmanager
def _alone(place: Place, file: StoredFile) -> Iterator[None]:
    """Not while a reader on this node is bringing right bytes to that very key."""
    if place.is_cloud:
        yield
        return
    try:
        with alone_on_node(FETCH_LOCK.format(file.pk), patience=PATIENCE_SECONDS):
            yield
    except BusyError as error:
        raise TransientError("file_is_fetched", "A reader is bringing this file here at this moment.") from error


def _right(place: Place, file: StoredFile, copy: Copy | None, is_dry_run: bool) -> Verdict:
    was_lost = file.state == FileState.LOST
    is_news = copy is None or copy.state != CopyState.PRESENT
    if not is_news and not was_lost:
        return Verdict.CHANGED
    verdict = Verdict.FOUND_AGAIN if was_lost else Verdict.ADOPTED
    if is_dry_run:
        return verdict
    if is_news and not adopt(place=place, file=file, copy=copy):
        return Verdict.CHANGED
    if was_lost:
        losing.welcome_back(file_id=file.pk)
    return verdict


def adopt(*, place: Place, file: StoredFile, copy: Copy | None) -> bool:
    """Note that right bytes lie at a place of which the ledger did not know it; False when things have changed."""
    found: dict[str, Any] = {
        "state": CopyState.PRESENT, "verified_at": Now(), "attempts": 0, "next_attempt_at": None, "error": "",
    }  # fmt: skip
    return _change(place, file, copy, None, **found)


def _absent(place: Place, file: StoredFile, copy: Copy | None, is_dry_run: bool) -> Verdict:
    follows = copy is not None and copy.state == CopyState.PRESENT and copy.next_attempt_at is not None
    if (file.other_key or follows) and place.side.head(key=keys.other_name(file.key)) is not None:
        return Verdict.BUSY  # on its way to the archive or back; whoever moves it settles it
    if file.other_key and place.side.head(key=file.key) is not None:
        return Verdict.BUSY  # and it was brought from there between the two looks
    if not is_dry_run and _is_under_other_name(place, file):
        return Verdict.BUSY if place.is_cloud else _right(place, file, copy, is_dry_run)
    is_believed = copy is not None and copy.state == CopyState.PRESENT
    is_wanted = place.is_cloud and (copy is None or copy.next_attempt_at is None)
    if is_believed or is_wanted:
        state = CopyState.MISSING if is_believed else CopyState.PENDING if copy is None else CopyState(copy.state)
        error = "There was nothing at the file's key."
        if not is_dry_run and not _change(place, file, copy, state=state, next_attempt_at=Now(), error=error):
            return Verdict.CHANGED
        if not is_dry_run:
            logger.error("copy_missing", place=str(place), file=str(file.pk), key=file.key)
    has_another = _is_elsewhere(place, file, is_dry_run)
    if has_another is None:
        return Verdict.UNREACHABLE
    if has_another:
        return Verdict.MISSING if is_believed or is_wanted else Verdict.CHANGED
    return Verdict.LOST if is_dry_run or _is_lost(file) else Verdict.CHANGED


def _is_lost(file: StoredFile) -> bool:
    """Declare a file lost, unless its bytes lie under its other name at a place in reach."""
    if any(_is_under_other_name(place, file) for place in reachable()):
        return False
    return losing.mark_lost(file_id=file.pk, as_seen=file)


def _is_under_other_name(place: Place, file: StoredFile) -> bool:
    """Whether the bytes lie at the other name alone; on a disk they get their key, in the Space they are due to."""
    if place.is_cloud:
        return straying.has_strayed(file)
    other = keys.other_name(file.key)
    found = place.side.head(key=other)
    if found is None or found.size != file.held_size or place.side.head(key=file.key) is not None:
        return False
    if file.held_sha256 and not proving.read(place=place, key=other, most=file.held_size).is_of(file):
        return False
    return following.bring_here(file)


def _is_elsewhere(place: Place, file: StoredFile, is_dry_run: bool, *, to_the_byte: bool = False) -> bool | None:
    """Whether another place has the bytes; None when it cannot be told now: a place is away, or a node with its disk.

    What is found where the ledger did not know of it is adopted.
    """
    others = Copy.objects.filter(file=file).exclude(side=place.name, node=place.node)
    is_unsure = False
    looked_at = [other for other in reachable() if other.name != place.name]
    for other in looked_at:
        copy = others.filter(side=other.name, node=other.node).first()
        try:
            truth = proving.look(place=other, file=file)
            if truth == Truth.RIGHT and (to_the_byte or copy is None or copy.state != CopyState.PRESENT):
                truth = proving.read_right(place=other, file=file)
        except (WorkError, OSError) as error:
            logger.warning("other_copy_unreachable", place=str(other), file=str(file.pk), error=str(error))
            is_unsure = True
            continue
        if truth == Truth.RIGHT:
            if (copy is None or copy.state != CopyState.PRESENT) and not is_dry_run:
                adopt(place=other, file=file, copy=copy)
            return True
    names = Q()
    for other in looked_at:
        names |= Q(side=other.name, node=other.node)
    if others.present().exclude(names).exists():
        return True
    if others.filter(losing.perhaps_right(), side=SideName.LOCAL).exclude(names).exists():
        return None
    return None if is_unsure else False


def _clear(place: Place, file: StoredFile, is_dry_run: bool) -> Verdict:
    """What lies at the key of a file that is gone for good, or never came to be."""
    due = Copy.objects.filter(file=file, side=place.name, node=place.node, next_attempt_at__isnull=False)
    if file.state == FileState.PURGED and due.exists():
        return Verdict.BUSY  # it is looked at again by those who purged it
    if place.side.head(key=file.key) is None:
        return Verdict.CHANGED
    if file.state == FileState.ABANDONED:
        if not is_dry_run:
            Copy.objects.update_or_create(
                file=file, side=place.name, node=place.node,
                defaults={"state": CopyState.PENDING, "next_attempt_at": Now()},
            )  # fmt: skip
        return Verdict.LEFTOVER
    if not is_dry_run:
        # Purged is for ever: no row comes back from it, and nothing may be kept of it, in quarantine neither.
        place.side.delete(key=file.key)
        logger.warning("purged_bytes_removed", place=str(place), key=file.key)
        _record(file, place, "removed")
    return Verdict.REMOVED


def _is_busy(file: StoredFile, copy: Copy | None) -> bool:
    """Whether somebody is at work on this file or copy: it is theirs to settle."""
    if StoredFile.objects.filter(pk=file.pk, lease_until__gt=Now()).exists():
        return True
    if copy is None or copy.state == CopyState.PRESENT:
        return False
    leaving = Q(side=SideName.LOCAL, next_attempt_at=None, updated_at__gt=in_seconds(-EVICTION_SECONDS))
    return Copy.objects.filter(Q(lease_until__gt=Now()) | leaving, pk=copy.pk).exists()


def _change(
    place: Place, file: StoredFile, copy: Copy | None, token: uuid.UUID | None = None, **fields: Any
) -> bool:  # fmt: skip
    """Change what the ledger says of one copy, if file and copy are still what the judgement rested on.

    The copy is nobody's afterwards, or held by whoever gave the `token`.
    """
    with transaction.atomic():
        now = StoredFile.objects.select_for_update().filter(pk=file.pk).first()
        # Not the key alone: the file may have moved to the archive and back since it was looked at.
        if now is None or (now.key, now.state, now.updated_at) != (file.key, file.state, file.updated_at):
            return False
        if copy is None:
            here = Copy(file=file, side=place.name, node=place.node)
            if not Copy.objects.bulk_create([here], ignore_conflicts=True):
                return False
            same = Copy.objects.filter(file=file, side=place.name, node=place.node, state=CopyState.PENDING)
        else:
            same = Copy.objects.filter(
                pk=copy.pk, state=copy.state, verified_at=copy.verified_at, lease_token=copy.lease_token
            )
        until = None if token is None else in_seconds(CONDEMN_SECONDS)
        if not same.update(**fields, lease_token=token, lease_until=until, updated_at=Now()):
            return False
        _record(file, place, str(fields["state"]))
    return True


def _record(file: StoredFile, place: Place, found: str) -> None:
    audit.record(
        action="file.copy_inspected",
        target_kind="file",
        target_id=file.pk,
        tenant_id=file.tenant_id,
        side=str(place.name),
        node=place.node,
        found=found,
    )
