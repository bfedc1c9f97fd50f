"""How full this disk may be, and which files go first when it is too full: the least recently read.

What may go at all is the affair of `evicting`.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from django.conf import settings

from chatvista.foundation.problems import WorkError
from storage_sync.disk import evicting
from storage_sync.disk.evicting import Cached, files_here
from storage_sync.disk.locking import BusyError, alone_on_node
from storage_sync.sides.local import local

logger = structlog.get_logger(__name__)

TOUCH_SECONDS = 60
PATIENCE_SECONDS, LONGEST_SECONDS = 10.0, 15.0
# Rather a share more at once (1/50 of the disk or the budget) than a walk through the tree for each of many uploads.
SLACK = 50
FILES_A_WALK, FILES_AT_ONCE = 2_000, 64

_growth = 0
_guard = threading.Lock()


def touch(path: Path) -> None:
    """Somebody reads this file now: noted in its atime, once a minute at most; no row is written for a read."""
    with contextlib.suppress(OSError):
        facts = path.stat()
        if time.time() - facts.st_atime > TOUCH_SECONDS:
            # The mtime stays: by it, what was verified is recognised.
            os.utime(path, ns=(time.time_ns(), facts.st_mtime_ns))


def make_room(*, bytes_needed: int) -> int:
    """Evict until that much fits above the watermark, or nothing that may go is left; how many bytes went.

    Where evicting everything would not be enough, nothing is evicted; nor is it while the Space cannot be asked. The
    caller looks at the disk again.
    """
    goal = bytes_needed + settings.DISK_RESERVE_BYTES
    if _free_bytes() >= goal:
        return 0
    if _free_bytes() + _cached_bytes() < goal:
        return 0
    roomy = goal + local().total_bytes() // SLACK
    return _alone(lambda gone: goal - _free_bytes(), lambda gone: roomy - _free_bytes())


def evict_to_budget() -> int:
    """Keep this disk within LOCAL_CACHE_BYTES, or a cache disk above its watermark; how many bytes went.

    A durable disk without a budget keeps everything for as long as there is room.
    """
    budget = settings.LOCAL_CACHE_BYTES
    if budget:
        over = _cached_bytes() - budget
        return _alone(lambda gone: over - gone, lambda gone: over + budget // SLACK - gone) if over > 0 else 0
    return 0 if settings.DISK_DURABLE else make_room(bytes_needed=settings.DISK_RESERVE_BYTES // 2)


def note_growth(size: int) -> None:
    """So many bytes were added to this disk: the budget is looked at when they have become a share of it."""
    global _growth  # noqa: PLW0603  a count of this process; the periodic look counts what is really there
    budget = settings.LOCAL_CACHE_BYTES
    with _guard:
        _growth += size
        is_time = bool(budget) and _growth > budget // SLACK
        if is_time:
            _growth = 0
    if is_time:
        evict_to_budget()


def _alone(is_needed: Callable[[int], int], is_missing: Callable[[int], int]) -> int:
    """Evict by one process of this node at a time; whoever waited finds that there is nothing left to do."""
    try:
        with alone_on_node("evicting", patience=PATIENCE_SECONDS):
            return _evict(is_missing) if is_needed(0) > 0 else 0
    except BusyError:
        return 0
    except OSError as error:
        logger.warning("evicting_without_lock", error=str(error))
        return _evict(is_missing)


def _evict(is_missing: Callable[[int], int]) -> int:
    """Evict the least recently read until `is_missing(bytes gone)` is not positive."""
    gone, until, behind = 0, time.monotonic() + LONGEST_SECONDS, Cached(0, "", 0)
    try:
        while oldest := heapq.nsmallest(FILES_A_WALK, (cached for cached in files_here() if cached > behind)):
            behind, candidates = oldest[-1], iter(oldest)
            while batch := _next_batch(candidates, is_missing(gone)):
                gone += evicting.evict(batch)
                if time.monotonic() > until:
                    return gone
            if is_missing(gone) <= 0:
                break
    except WorkError as error:
        logger.warning("eviction_stopped", code=error.code, detail=error.detail)
    if gone:
        logger.info("local_copies_evicted", bytes=gone)
    return gone


def _next_batch(candidates: Iterator[Cached], missing: int) -> list[Cached]:
    """The next few files: as many as would do, were all of them to go."""
    batch: list[Cached] = []
    while missing > 0 and len(batch) < FILES_AT_ONCE and (cached := next(candidates, None)) is not None:
        batch.append(cached)
        missing -= cached.size
    return batch


def _free_bytes() -> int:
    return local().free_bytes()


def _cached_bytes() -> int:
    return sum(cached.size for cached in files_here())
