"""Finding the right bytes of a file on this disk: verified, or healed from the cloud by one for all who wait.

A copy that turns out wrong is put aside and the ledger told; when no side has the right bytes the file is `lost`.
"""

from __future__ import annotations

import errno
from pathlib import Path

import structlog
from django.conf import settings

from chatvista.foundation.problems import Problem, WorkError
from storage_sync import keys
from storage_sync.arriving.settling import note_copy
from storage_sync.damage import healing, losing
from storage_sync.damage.healing import SpaceAwayProblem, unavailable
from storage_sync.disk import caching, fetching, verifying
from storage_sync.disk.expecting import expected_here
from storage_sync.disk.locking import BusyError
from storage_sync.giving.streaming import DamagedError, space_for_readers
from storage_sync.models import StoredFile
from storage_sync.sides.contract import MissingObjectError, OccupiedKeyError
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

# Between reading a row and opening its bytes they may move or be evicted: then they are looked for again.
LOOKS = 3
# Threads that want the same file wait for the one that verifies or fetches it, but not for ever.
PATIENCE_SECONDS = 40.0


class _MovedError(Exception):
    """The file has another key than its row had when it was read."""


def local_path(file: StoredFile) -> Path:
    """Verified bytes as held, on this disk, fetched if need be; others wait for the one that fetches.

    A file that was lost is looked for again: a volume may be mounted now that was not. Whoever opens the path should
    rather use `opened`: the name may be gone by then.

    Raises Problem 410 `file_lost` or `file_purged`, 404 `not_found`, 503 `storage_unavailable`, 507 `disk_full`.
    """
    if file.state != FileState.LOST:
        require_readable(file)
    for _ in range(LOOKS):
        try:
            path = _right_path(file)
            break
        except _MovedError:
            look_again(file)
    else:
        raise unavailable()
    if file.state == FileState.LOST and losing.welcome_back(file_id=file.pk):
        note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.PRESENT)
        file.refresh_from_db()
    caching.touch(path)
    return path


def require_readable(file: StoredFile) -> None:
    """Raise the Problem that says why a file has no bytes to read."""
    if file.state == FileState.LOST:
        raise Problem("file_lost", "Every copy of this file is damaged; operators know about it.", status=410)
    if file.state in {FileState.PURGING, FileState.PURGED}:
        raise Problem("file_purged", "This file was removed for good.", status=410)
    if file.state == FileState.QUARANTINED:
        detail = "What was uploaded is not what its uploader declared; it was put aside."
        raise Problem("file_quarantined", detail, status=410)
    if file.state not in {FileState.STORED, FileState.ARCHIVED}:
        raise Problem("not_found", "There is nothing here that you may see.", status=404)


def look_again(file: StoredFile) -> None:
    """Read the row anew; 503 when the file, or what lies on the sides, is no longer what its reader took it for."""
    now = StoredFile.objects.get(pk=file.pk)
    # Sealed or opened meanwhile, other bytes lie on the sides. The row at hand stays as it is then: who is in the
    # middle of the old bytes must not go on with the new ones.
    if (now.state, now.sealed_key) != (file.state, file.sealed_key):
        raise unavailable()
    for column in StoredFile._meta.concrete_fields:  # noqa: SLF001  documented by Django
        setattr(file, column.attname, getattr(now, column.attname))


def _right_path(file: StoredFile) -> Path:
    try:
        with verifying.alone(str(file.pk), patience=PATIENCE_SECONDS):
            path = local().path(file.key)
            verdict = _verdict(file, path)
            if verdict:
                return path
            if verdict is None and _is_under_other_name(file, path):
                return path
            return _heal(file, was_damaged=verdict is False)
    except (BusyError, WorkError) as error:
        is_space_away = isinstance(error, WorkError) and error.code.startswith("cloud_")
        raise (SpaceAwayProblem() if is_space_away else unavailable()) from error


def _verdict(file: StoredFile, path: Path) -> bool | None:
    """Whether the bytes are right, by two looks if need be. What cannot be read may be right all the same."""
    verdict: bool | None = False
    for is_last in (False, True):
        try:
            verdict = verifying.holds(file=file, path=path)
        except OSError as error:
            logger.warning("local_copy_unreadable", key=file.key, error=str(error))
            if error.errno != errno.EIO:
                raise unavailable() from error
        else:
            if verdict is not False:
                return verdict
            if is_last:
                healing.note_local_damaged(file)
    return False


def _is_under_other_name(file: StoredFile, path: Path) -> bool:
    """Whether the bytes lay here at the other key of an archived or restored file; then they lie at its key, too.

    The other name is left to whoever follows moves on this node.
    """
    for other in {file.other_key, keys.other_name(file.key)} - {"", file.key}:
        try:
            if verifying.holds(file=file, path=local().path(other)):
                _require_current(file)
                local().copy(key=other, to=file.key)
                verifying.remember(path)
                return True
        except OccupiedKeyError:
            # Another process of this node gave them this name just now.
            return _verdict(file, path) is True
        except (MissingObjectError, WorkError, OSError) as error:
            logger.info("not_under_other_name", key=other, error=str(error))
    return False


def _heal(file: StoredFile, *, was_damaged: bool) -> Path:
    side = space_for_readers()
    try:
        if side is None:
            raise MissingObjectError(file.key)
        with expected_here(file):
            was_read = fetching.fetch(file=file, side=side)
    except (MissingObjectError, DamagedError) as error:
        # What is not at an old key says nothing about the file.
        _require_current(file)
        if not was_damaged:
            healing.note_local_missing(file)
        if side is not None and isinstance(error, DamagedError):
            healing.condemn_in_cloud(file=file, side=side, etag=error.etag)
        elif side is not None:
            healing.note_cloud_missing(file)
        raise healing.lost_unless_elsewhere(file) from error
    except OSError as error:
        raise unavailable() from error
    try:
        _require_current(file)
    except _MovedError:
        # Whoever gave it another key may have emptied this one just before we filled it. What was there before us may
        # be all there is of the file, and follows it.
        if was_read:
            local().delete(key=file.key)
        raise
    note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.PRESENT)
    if was_read:
        note_copy(file=file, side=SideName.CLOUD, state=CopyState.PRESENT)
    logger.info("local_copy_healed" if was_damaged else "local_copy_fetched", key=file.key)
    return local().path(file.key)


def _require_current(file: StoredFile) -> None:
    """Raise when the file has got another key since its row was read."""
    if not StoredFile.objects.filter(pk=file.pk, key=file.key).exists():
        raise _MovedError
