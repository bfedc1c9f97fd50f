"""Taking files off this disk: only where the ledger and the Space itself, asked just now, say that the Space has them.

The row goes first, then the bytes: killed in between there are bytes without a copy in the ledger, which the next
eviction or reconciliation takes up. Who has such a file open goes on reading it.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from storage_sync import keys
from storage_sync.disk import verifying
from storage_sync.disk.locking import BusyError, alone_on_node
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.local import local
from storage_sync.vocabulary import Category, CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

FOLDERS = (*Category.values, "archive")
READABLE = {FileState.STORED, FileState.ARCHIVED}
HEADS_AT_ONCE, HEAD_SECONDS = 8, 4
FETCH_LOCK = "{}.fetch"
"""The lock (see `locking`) under which one process of a node brings a file here, or takes it away."""


@dataclass(frozen=True, slots=True, order=True)
class Cached:
    """A file of this disk; in order, the least recently read comes first."""

    read_at_ns: int
    key: str
    size: int


def files_here() -> Iterator[Cached]:
    """Every file of the tree that could be a copy, in no order, in memory that does not grow with their number."""
    root = local().root
    waiting = [root / folder for folder in FOLDERS]
    while waiting:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(root / entry.path)
                    continue
                with contextlib.suppress(FileNotFoundError):
                    facts = entry.stat(follow_symlinks=False)
                    key = os.path.relpath(entry.path, root)
                    yield Cached(facts.st_atime_ns, key, facts.st_size)


def evict(batch: list[Cached]) -> int:
    """Take those of the batch off this disk that may go; how many bytes went. WorkError while the Space is away."""
    side = cloud()
    if side is not None:
        # An upload waits for this: a Space that hangs is not waited for.
        side = replace(side, read_seconds=HEAD_SECONDS, attempts=1)
    by_file = {found: cached for cached in batch if (found := keys.file_id_of(cached.key)) is not None}
    if side is None or not by_file:
        return 0
    sure = _held_by(side, list(_files_in_cloud(list(by_file))))
    gone = 0
    with contextlib.ExitStack() as locks:
        mine = [file for file in sure if _is_locked(file, locks)]
        for file in _taken_off_the_ledger(mine, {pk: cached.key for pk, cached in by_file.items()}):
            cached = by_file[file.pk]
            local().delete(key=cached.key)
            verifying.forget(local().path(cached.key))
            gone += cached.size
            logger.info("local_copy_evicted", key=cached.key, size=cached.size)
    return gone


def _files_in_cloud(ids: list[uuid.UUID]) -> Iterator[StoredFile]:
    rows = Copy.objects.present().filter(side=SideName.CLOUD, file_id__in=ids).select_related("file")
    return (copy.file for copy in rows if copy.file.state in READABLE)


def _held_by(side: CloudSide, files: list[StoredFile]) -> list[StoredFile]:
    """Those that the Space has at their key, with their size and an ETag that our own MD5s account for."""
    if not files:
        return []
    with ThreadPoolExecutor(min(HEADS_AT_ONCE, len(files)), thread_name_prefix="evict-head") as pool:
        found = list(pool.map(lambda file: side.head(key=file.key), files))
    return [
        file
        for file, there in zip(files, found, strict=True)
        if there is not None and there.size == file.held_size and there.etag in file.etags
    ]


def _is_locked(file: StoredFile, locks: contextlib.ExitStack) -> bool:
    """Whether nobody is bringing this file here; for as long as `locks` is open nobody begins to."""
    try:
        locks.enter_context(alone_on_node(FETCH_LOCK.format(file.pk), patience=0))
    except BusyError:
        return False
    except OSError as error:
        # A disk so full that it takes no lock is to be emptied all the more.
        logger.warning("evicting_without_lock", key=file.key, error=str(error))
    return True


def _taken_off_the_ledger(files: list[StoredFile], paths: dict[uuid.UUID, str]) -> list[StoredFile]:
    """Those whose cloud copy is still present, at that key, with both rows locked; their copy here is now missing."""
    ids = [file.pk for file in files]
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    with transaction.atomic():
        rows = Copy.objects.select_for_update(skip_locked=True, of=("self",)).filter(free, file_id__in=ids)
        in_cloud = rows.present().filter(side=SideName.CLOUD).select_related("file").order_by("pk")
        keys_now = {copy.file_id: copy.file.key for copy in in_cloud if copy.file.state in READABLE}
        here = Copy.objects.filter(file_id__in=ids, side=SideName.LOCAL, node=settings.STORAGE_NODE)
        # Not while somebody is about to make this very copy: it would be said to be here.
        idle = Q(state=CopyState.PRESENT) | Q(next_attempt_at__isnull=True)
        held = set(rows.filter(idle, pk__in=here).order_by("pk").values_list("file_id", flat=True))
        busy = set(here.values_list("file_id", flat=True)) - held
        gone = [file for file in files if keys_now.get(file.pk) == file.key and file.pk not in busy]
        # Bytes left at an earlier key of the file are not the copy the ledger speaks of.
        told = [file.pk for file in gone if paths[file.pk] == file.key or not local().path(file.key).exists()]
        here.filter(file_id__in=told).update(state=CopyState.MISSING, next_attempt_at=None, updated_at=Now())
    return gone
