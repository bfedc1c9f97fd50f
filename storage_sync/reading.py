"""Reading a file wherever its bytes are: the local copy when it verifies, else healed from the cloud, once.

A copy that turns out wrong is put aside and the ledger told; when no side has the right bytes the file is `lost`.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.problems import Problem, TransientError, WorkError
from storage_sync import replicating, verifying
from storage_sync.intake import disk_full
from storage_sync.models import StoredFile
from storage_sync.sealing import unsealing
from storage_sync.settling import note_copy
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.contract import MissingObjectError, OccupiedKeyError
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)


# Between finding a path and opening it the bytes may move or be evicted: then they are looked for again.
OPENINGS = 3


class _DamagedError(Exception):
    """The cloud's bytes are not the file's."""


def local_path(file: StoredFile) -> Path:
    """Verified bytes on this disk, fetched if need be; other threads wait for the one that fetches.

    A file that was lost is looked for again: a volume may be mounted now that was not.

    Raises Problem 410 `file_lost` or `file_purged`, 404 `not_found`, 503 `storage_unavailable`, 507 `disk_full`.
    """
    if file.state != FileState.LOST:
        require_readable(file)
    path = _right_path(file)
    if file.state == FileState.LOST:
        _welcome_back(file)
    return path


def opened(file: StoredFile) -> BinaryIO:
    """What people uploaded, as a seekable file; the caller closes it. Raises what `local_path` raises.

    Once open it stays readable, whatever becomes of its name: evicting and archiving only unlink.
    """
    return unsealing.plain_file(file=file, source=_opened_as_held(file))


def _opened_as_held(file: StoredFile) -> BinaryIO:
    """The bytes as they lie on this disk, verified."""
    for _ in range(OPENINGS):
        try:
            return local_path(file).open("rb")
        except FileNotFoundError:
            file.refresh_from_db()
        except OSError as error:
            raise unavailable() from error
    raise unavailable()


def _right_path(file: StoredFile) -> Path:
    with verifying.alone(str(file.pk)):
        path = local().path(file.key)
        try:
            verdict = verifying.holds(file=file, path=path)
        except OSError as error:
            logger.warning("local_copy_unreadable", key=file.key, error=str(error))
            if error.errno != errno.EIO:
                raise unavailable() from error
            verdict = False
        if verdict:
            return path
        if verdict is False:
            logger.error("local_copy_damaged", key=file.key)
            _put_aside(file)
        return _heal(file, was_damaged=verdict is False)


def stream(file: StoredFile, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """What people uploaded, or a part of it, in chunks; the first is read before this returns."""
    return unsealing.plain_stream(
        file=file,
        held=lambda at, count: stream_as_held(file, start=at, length=count),
        start=start,
        length=length,
    )


def stream_as_held(file: StoredFile, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """The bytes of a file as they lie on the sides, or a part of them; the first chunk is read before this returns.

    Without room on this disk they come from the cloud directly: a whole file then ends in an error instead of with
    its last chunk when its sha256 does not hold.
    """
    try:
        path = local_path(file)
        chunks = local().read(key=path.relative_to(local().root).as_posix(), start=start, length=length)
        first = next(chunks, b"")
    except (Problem, MissingObjectError, WorkError) as error:
        if isinstance(error, Problem) and error.status not in {503, 507}:
            raise
        chunks = _straight(file, start, length)
        try:
            first = next(chunks, b"")
        except (WorkError, OSError, _DamagedError) as worse:
            raise unavailable() from worse
    return _chain(first, chunks)


def unavailable() -> Problem:
    """The answer while the bytes cannot be reached."""
    return Problem("storage_unavailable", "The file cannot be read just now; try again.", status=503, retry_after=10)


def require_readable(file: StoredFile) -> None:
    """Raise the Problem that says why a file has no bytes to read."""
    if file.state == FileState.LOST:
        raise Problem("file_lost", "Every copy of this file is damaged; operators know about it.", status=410)
    if file.state in {FileState.PURGING, FileState.PURGED}:
        raise Problem("file_purged", "This file was removed for good.", status=410)
    if file.state not in {FileState.STORED, FileState.ARCHIVED}:
        raise Problem("not_found", "There is nothing here that you may see.", status=404)


def _heal(file: StoredFile, *, was_damaged: bool) -> Path:
    side = cloud()
    try:
        if side is None:
            raise MissingObjectError(file.key)
        path = _fetch(file, side)
    except (MissingObjectError, _DamagedError) as error:
        if not StoredFile.objects.filter(pk=file.pk, key=file.key).exists():
            # Moved since its row was read: what is not at the old key says nothing about the file.
            raise unavailable() from error
        found = CopyState.CORRUPT if isinstance(error, _DamagedError) else CopyState.MISSING
        logger.error("cloud_copy_wrong", key=file.key, found=found.value)  # noqa: TRY400  the sentence says it all
        note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.MISSING)
        _note_cloud(file, found)
        raise _lost_unless_elsewhere(file) from error
    except (WorkError, OSError) as error:
        raise unavailable() from error
    note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.PRESENT)
    note_copy(file=file, side=SideName.CLOUD, state=CopyState.PRESENT)
    logger.info("local_copy_healed" if was_damaged else "local_copy_fetched", key=file.key)
    return path


def _fetch(file: StoredFile, side: CloudSide) -> Path:
    """Cloud to temp/, hashed on the way, then to its key. A name in the tree is right or absent."""
    here = local()
    here.lay_out()
    if here.free_bytes() - file.held_size < settings.DISK_RESERVE_BYTES:
        raise disk_full()
    temp, digest, size = here.temp_path(), hashlib.sha256(), 0
    try:
        with temp.open("xb", buffering=0) as sink:
            for chunk in side.read(key=file.key):
                size += len(chunk)
                if size > file.held_size:
                    break
                digest.update(chunk)
                view = memoryview(chunk)
                while view:
                    view = view[sink.write(view) :]
            os.fsync(sink.fileno())
        if size != file.held_size or (file.held_sha256 and digest.hexdigest() != file.held_sha256):
            raise _DamagedError(file.key)
        try:
            here.adopt(temp=temp, key=file.key)
        except OccupiedKeyError:
            # Another process was faster; what it put there is looked at like anything else.
            if not verifying.holds(file=file, path=here.path(file.key)):
                raise TransientError("local_copy_damaged", "Somebody else is writing this file.") from None
    finally:
        temp.unlink(missing_ok=True)
    verifying.remember(here.path(file.key))
    return here.path(file.key)


def _put_aside(file: StoredFile) -> None:
    try:
        local().quarantine(key=file.key)
    except WorkError as error:
        raise unavailable() from error
    note_copy(
        file=file,
        side=SideName.LOCAL,
        node=settings.STORAGE_NODE,
        state=CopyState.CORRUPT,
        error="The bytes on the disk did not have the file's sha256.",
    )


def _note_cloud(file: StoredFile, state: CopyState) -> None:
    if cloud() is not None:
        note_copy(file=file, side=SideName.CLOUD, state=state)


def _lost_unless_elsewhere(file: StoredFile) -> Problem:
    """No copy we can reach is right. Another node's, or the backup's, may be: only without them the file is lost."""
    if file.copies.present().exists():
        return unavailable()
    with transaction.atomic():
        if StoredFile.objects.readable().filter(pk=file.pk).update(state=FileState.LOST, updated_at=Now()):
            logger.error("file_lost", file=str(file.pk), key=file.key)
            audit.record(action="file.lost", target_kind="file", target_id=file.pk, tenant_id=file.tenant_id)
    return Problem("file_lost", "Every copy of this file is damaged; operators know about it.", status=410)


def _welcome_back(file: StoredFile) -> None:
    """Right bytes turned up: the file is what it was before it was lost."""
    was = FileState.STORED if file.archived_at is None else FileState.ARCHIVED
    with transaction.atomic():
        if StoredFile.objects.filter(pk=file.pk, state=FileState.LOST).update(state=was, updated_at=Now()):
            logger.warning("file_found_again", file=str(file.pk), key=file.key)
            note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.PRESENT)
            audit.record(action="file.found", target_kind="file", target_id=file.pk, tenant_id=file.tenant_id)
    file.refresh_from_db()


def _straight(file: StoredFile, start: int, length: int | None) -> Iterator[bytes]:
    """From the cloud without a stop on this disk."""
    side = cloud()
    if side is None or not replicating.vouches(found=side.head(key=file.key), file=file):
        raise MissingObjectError(file.key)
    chunks = side.read(key=file.key, start=start, length=length)
    if start or (length is not None and length < file.held_size):
        yield from chunks
        return
    digest, held = hashlib.sha256(), b""
    for chunk in chunks:
        digest.update(chunk)
        if held:
            yield held
        held = chunk
    if file.held_sha256 and digest.hexdigest() != file.held_sha256:
        logger.error("cloud_copy_damaged", key=file.key)
        raise _DamagedError(file.key)
    yield held


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest
