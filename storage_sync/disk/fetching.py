"""Bringing a file from the Space to this disk: by one process of a node at a time, verified before it has its name."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import structlog
from django.conf import settings

from storage_sync.arriving.intake import disk_full
from storage_sync.damage import quarantining
from storage_sync.disk import blocks, caching, verifying
from storage_sync.disk.blocks import Digesting
from storage_sync.disk.evicting import FETCH_LOCK
from storage_sync.disk.locking import alone_on_node
from storage_sync.giving.streaming import DamagedError
from storage_sync.models import StoredFile
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.contract import OccupiedKeyError
from storage_sync.sides.local import is_full, local

logger = structlog.get_logger(__name__)

# A platform cuts a request after 100 s: whoever has waited this long for another's fetch helps himself.
PATIENCE_SECONDS = 30.0


def fetch(*, file: StoredFile, side: CloudSide) -> bool:
    """Cloud to temp/, hashed on the way, then to its key; whether the Space was read. A name is right or absent.

    Another process of this node that fetches the same file is waited for, and what it brought is not fetched again:
    then nothing is known of the Space. Raises MissingObjectError; DamagedError,
    with the ETag of an object that was wrong twice; BusyError; Problem 507 `disk_full`; WorkError; OSError.
    """
    local().lay_out()
    with alone_on_node(FETCH_LOCK.format(file.pk), patience=PATIENCE_SECONDS):
        if _is_right_here(file):
            return False
        _bring(file, side)
        return True


def _is_right_here(file: StoredFile) -> bool:
    """What the disk cannot read is as good as wrong, once there are right bytes in its stead."""
    try:
        return bool(verifying.holds(file=file, path=local().path(file.key)))
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return False


def _bring(file: StoredFile, side: CloudSide) -> None:
    try:
        _bring_once(file, side)
    except DamagedError:
        logger.warning("object_read_damaged", key=file.key)
    else:
        return
    # Perhaps only the way was bad: nothing is condemned that was not wrong twice, and the same both times.
    before = side.head(key=file.key)
    try:
        _bring_once(file, side)
    except DamagedError as error:
        after = side.head(key=file.key)
        is_same = before is not None and after is not None and before.etag == after.etag
        raise DamagedError(file.key, etag=(after.etag or "") if after and is_same else "") from error


def _bring_once(file: StoredFile, side: CloudSide) -> None:
    here = local()
    caching.make_room(bytes_needed=file.held_size)
    if here.free_bytes() - file.held_size < settings.DISK_RESERVE_BYTES:
        raise disk_full()
    digesting = Digesting() if blocks.are_wanted(file) and not blocks.are_known(file) else None
    temp = here.temp_path()
    try:
        with temp.open("xb", buffering=0) as sink:
            _pour(file, side, sink, digesting)
            os.fsync(sink.fileno())
        _give_its_name(file, temp)
    except OSError as error:
        if is_full(error):
            raise disk_full() from error
        raise
    finally:
        temp.unlink(missing_ok=True)
    verifying.remember(here.path(file.key))
    if digesting is not None and file.held_sha256:
        blocks.keep(file=file, digests=digesting.result())
    caching.note_growth(file.held_size)


def _give_its_name(file: StoredFile, temp: Path) -> None:
    """Damaged bytes are put aside only now that the right ones are here; what the sync engine put there stays."""
    try:
        local().adopt(temp=temp, key=file.key)
    except OccupiedKeyError:
        if not _is_right_here(file):
            quarantining.put_aside(side=local(), key=file.key)
            local().adopt(temp=temp, key=file.key)


def _pour(file: StoredFile, side: CloudSide, sink: BinaryIO, digesting: Digesting | None) -> None:
    """The object into the sink; DamagedError when its size or sha256 is not the file's."""
    digest, size = hashlib.sha256(), 0
    for chunk in side.read(key=file.key):
        size += len(chunk)
        if size > file.held_size:
            break
        digest.update(chunk)
        if digesting is not None:
            digesting.update(chunk)
        view = memoryview(chunk)
        while view:
            view = view[sink.write(view) :]
    if size != file.held_size or (file.held_sha256 and digest.hexdigest() != file.held_sha256):
        raise DamagedError(file.key)
