"""Making the copy in the Space of a file whose bytes lie on this disk.

A PUT is proven by its answer: the ETag is the MD5 the store computed from what arrived, and equals one of those that
were computed when the bytes came in, so that neither the way nor our own disk has changed them. What the store keeps
is looked at once more before the copy counts (see `running`), an object put in parts here and now.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models.functions import Now

from chatvista.foundation.problems import TransientError
from storage_sync import fingerprints
from storage_sync.arriving import replicating
from storage_sync.damage import healing, quarantining
from storage_sync.disk import verifying
from storage_sync.fingerprints import PART_BYTES
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import following
from storage_sync.sides.bulk import PUT_IN_PARTS_BYTES, BulkSide
from storage_sync.sides.contract import Found
from storage_sync.sides.local import local
from storage_sync.syncing.leasing import Held
from storage_sync.syncing.outcomes import NO_SOURCE, Outcome, Verdict
from storage_sync.syncing.pacing import Budget
from storage_sync.vocabulary import CopyState, SideName

logger = structlog.get_logger(__name__)

# What lies at the key is read whole at every attempt; bytes that turn up on a disk cut this short.
WRONG_PAUSE_SECONDS = 900


def make(*, copy: Copy, found: Found | None, side: BulkSide, held: Held, budget: Budget) -> Outcome:
    """Put the file unless `found`, what lies at its key, is it. Raises WorkError, OSError."""
    file = copy.file
    if found is not None:
        if is_right(found, copy=copy, side=side):
            return Outcome(copy, Verdict.FOUND)
        logger.error("cloud_copy_damaged", key=file.key, size=found.size, etag=found.etag)
    path = _source(copy)
    if path is None:
        wait = 60 if found is None else WRONG_PAUSE_SECONDS
        return Outcome(copy, Verdict.FAILED, code=NO_SOURCE, detail="No side in reach has the bytes.", retry_after=wait)
    if found is not None:
        # It goes only when what is to take its place is right beyond doubt, whatever was wrong with reading it.
        verifying.forget(path)
        if file.held_sha256 is None or not verifying.holds(file=file, path=path):
            detail = "Neither the object nor the bytes on this disk are known to be right."
            return Outcome(copy, Verdict.FAILED, code=NO_SOURCE, detail=detail, retry_after=WRONG_PAUSE_SECONDS)
        _clear(copy, found, side, held)
    etags = file.etags or fingerprints.of_path(path).etags
    etag = _put(file, path, side, budget)
    if file.held_size <= PART_BYTES and etag in etags:
        return Outcome(copy, Verdict.PUT, moved_bytes=file.held_size)
    kept = side.head(key=file.key)
    is_whole = kept is not None and kept.size == file.held_size
    if kept is not None and is_whole and (kept.etag in etags or _is_of_other_parts(kept, file, path)):
        return Outcome(copy, Verdict.MADE, moved_bytes=file.held_size)
    return _damaged(copy, path, kept, side, held)


def _is_of_other_parts(kept: Found, file: StoredFile, path: Path) -> bool:
    """Uploaded past us it was put in parts of another size: its row learns the ETag it has from now on."""
    now = fingerprints.of_path(path)
    is_cut_alike = file.composite_md5.rpartition("-")[2] == now.composite_md5.rpartition("-")[2]
    if is_cut_alike or kept.etag not in now.etags or now.sha256 != file.held_sha256:
        return False
    rows = StoredFile.objects.filter(pk=file.pk, key=file.key)
    return bool(rows.update(md5=now.md5, composite_md5=now.composite_md5))


def is_right(found: Found, *, copy: Copy, side: BulkSide) -> bool:
    """Whether an object is the file: by an ETag of our own MD5s, or by its sha256.

    Another ETag proves nothing: stores make them differently, and a bucket is copied in parts of another size.
    """
    file = copy.file
    if found.size != file.held_size:
        return False
    # Condemned by a reader, it may have the right ETag all the same.
    if copy.state != CopyState.CORRUPT and replicating.vouches(found=found, file=file):
        return True
    digest = hashlib.sha256()
    for chunk in side.read(key=file.key):
        digest.update(chunk)
    return file.held_sha256 is not None and digest.hexdigest() == file.held_sha256


def _clear(copy: Copy, found: Found, side: BulkSide, held: Held) -> None:
    """Something else lies at the key: it is put aside, for a look, unless it has become another meanwhile."""
    now = side.head(key=copy.file.key)
    if now is None:
        return
    if not held.keeps(copy) or now.etag != found.etag:
        raise TransientError("cloud_changed", "Somebody else is writing at this key.", retry_after=30)
    quarantining.put_aside(side=side, key=copy.file.key)


def _source(copy: Copy) -> Path | None:
    """Bytes on this disk that may be the file's. Wrong ones stay: they may be the best there is."""
    file = copy.file
    path = local().path(file.key)
    if not following.bring_here(file):
        _note_missing_here(file)
        return None
    if path.stat().st_size != file.held_size or not _may_be_right(copy, path):
        healing.note_local_damaged(file)
        return None
    return path


def _note_missing_here(file: StoredFile) -> None:
    """Once: a copy that is known to be missing waits for its next attempt, or two without a source wake each other."""
    here = Copy.objects.filter(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE)
    if here.present().exists():
        healing.note_local_missing(file)
        if settings.DISK_DURABLE:
            here.exclude(state=CopyState.PRESENT).update(next_attempt_at=Now())


def _may_be_right(copy: Copy, path: Path) -> bool:
    """With MD5s of its own the answer to the PUT tells; without, or when in doubt, the bytes are read before."""
    if copy.file.etags and not (copy.attempts and _are_doubted(copy.file)):
        return True
    return bool(verifying.holds(file=copy.file, path=path))


def _are_doubted(file: StoredFile) -> bool:
    """Asked from the second attempt on: a question for every file would take as long as what it is about."""
    here = Copy.objects.filter(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE)
    return here.filter(state=CopyState.CORRUPT).exists()


def _put(file: StoredFile, path: Path, side: BulkSide, budget: Budget) -> str:
    if file.held_size > PART_BYTES:
        with budget.share(PUT_IN_PARTS_BYTES):
            return side.put_in_parts(key=file.key, path=path, content_type=file.content_type)
    with budget.share(file.held_size):
        return side.put_bytes(key=file.key, data=path.read_bytes(), content_type=file.content_type)


def _damaged(copy: Copy, path: Path, kept: Found | None, side: BulkSide, held: Held) -> Outcome:
    """What we have put is not what we meant to put: it goes; the bytes on this disk are doubted if they are the cause.

    The key stays what it is: other nodes, links and moves know the file by it. Nothing can arrive at it any more from
    a PUT that was answered.
    """
    file = copy.file
    logger.error("cloud_copy_damaged", key=file.key, after="put", etag=kept.etag if kept else None)
    now = side.head(key=file.key)
    if kept is not None and now is not None and now.etag == kept.etag and held.keeps(copy):
        side.delete(key=file.key)
    if fingerprints.sha256_of_path(path) != file.held_sha256:
        verifying.forget(path)
        healing.note_local_damaged(file)
        return Outcome(copy, Verdict.FAILED, code="local_copy_damaged", detail="The bytes on the disk have changed.")
    return Outcome(copy, Verdict.FAILED, code="cloud_copy_damaged", detail="The Space did not keep what it was given.")
