"""What is cleared away for good: bytes put aside a month ago, and uploads in parts that nobody will complete.

Reservations and their leftovers are swept in `sweeping`, uploads in `uploading.sweeping`. Here nothing is touched that
a row refers to, and nothing outside the folders of files and `quarantine/`. What was put aside of a file under legal
hold, or of one that is lost, stays for as long as that is so: they may be the only bytes there are.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
import uuid
from collections import Counter

import structlog
from django.db.models import Q
from django.utils import timezone

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import WorkError
from storage_sync import keys
from storage_sync.damage.quarantining import QUARANTINE, is_key, put_aside_at
from storage_sync.models import StoredFile, UnknownObject, Upload, UploadState
from storage_sync.sides.cloud import CloudSide, OpenMultipart, cloud
from storage_sync.sides.local import local
from storage_sync.vocabulary import Category, FileState

logger = structlog.get_logger(__name__)

QUARANTINE_SECONDS = 30 * 86_400
# Whoever takes longer than this between two parts has a row that says so, or is dead.
MULTIPART_AGE = dt.timedelta(days=1)
LONGEST_SECONDS = 45.0
# In the Space a key keeps its slashes, on a disk they are underscores.
_FILE_ID = re.compile(r"[/_]([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[/_]")


def clear_disk() -> Counter[str]:
    """Remove what was put aside on this node's disk a month ago. To be called on every node.

    By the time in its name: a rename leaves a file as old as it was.
    """
    removed, oldest = 0, timezone.now() - dt.timedelta(seconds=QUARANTINE_SECONDS)
    for path in (local().root / "quarantine").glob("*"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError, PermissionError):
            put_at = put_aside_at(path.name) or dt.datetime.fromtimestamp(path.lstat().st_ctime, dt.UTC)
            if put_at < oldest and not _is_kept(path.name):
                path.unlink()
                removed += 1
    return _told(Counter(quarantined=removed))


def clear_space() -> Counter[str]:
    """The same in the Space, and the parts of uploads that nobody will complete. Once for all nodes."""
    side, cleared, until = cloud(), Counter[str](), time.monotonic() + LONGEST_SECONDS
    if side is None:
        return cleared
    try:
        cleared["quarantined"] = _clear_quarantine(side, until)
        cleared["multiparts"] = _abort_multiparts(side, until)
    except WorkError as error:
        logger.warning("space_not_cleared", error=str(error))
    UnknownObject.objects.filter(quarantined_at__lt=in_seconds(-QUARANTINE_SECONDS)).delete()
    return _told(cleared)


def _clear_quarantine(side: CloudSide, until: float) -> int:
    """In the order of time: the list is read as far as it is old."""
    removed, oldest = 0, timezone.now() - dt.timedelta(seconds=QUARANTINE_SECONDS)
    after: str | None = None
    while True:
        page = side.page(prefix=QUARANTINE, after=after)
        for found in page.found:
            if time.monotonic() > until:
                return removed
            put_at = put_aside_at(found.key)
            if put_at is not None and put_at >= oldest:
                return removed
            # What somebody else put there is judged by the store's clock.
            if found.modified_at < oldest and is_key(found.key) and not _is_kept(found.key):
                side.delete(key=found.key)
                removed += 1
        if page.after is None:
            return removed
        after = page.after


def _is_kept(name: str) -> bool:
    """Whether what was put aside is of a file that may need it; asked for each, since a hold may be put meanwhile."""
    found = _FILE_ID.search(name)
    kept = StoredFile.objects.filter(Q(has_legal_hold=True) | Q(state=FileState.LOST))
    return found is not None and kept.filter(pk=uuid.UUID(found[1])).exists()


def _abort_multiparts(side: CloudSide, until: float) -> int:
    aborted = 0
    for upload in side.open_multiparts(before=timezone.now() - MULTIPART_AGE):
        if time.monotonic() > until:
            break
        if not _is_ours(upload.key) or _is_under_way(upload):
            continue
        side.abort_multipart(key=upload.key, upload_id=upload.upload_id)
        logger.info("multipart_aborted", key=upload.key, begun_at=upload.begun_at.isoformat())
        aborted += 1
    return aborted


def _is_ours(key: str) -> bool:
    return is_key(key) and keys.live_key(key).partition("/")[0] in Category.values


def _is_under_way(upload: OpenMultipart) -> bool:
    going_on = Upload.objects.filter(state__in=[UploadState.OPEN, UploadState.FINISHING])
    reserved = StoredFile.objects.filter(key=upload.key, state=FileState.RESERVED)
    return going_on.filter(key=upload.key).exists() or reserved.exists()


def _told(cleared: Counter[str]) -> Counter[str]:
    if cleared.total():
        logger.info("cleared", **cleared)
    return cleared
