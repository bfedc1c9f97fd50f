"""What is done with a copy that a reader found wrong: put aside, written down, and due to be made again.

A copy in the Space is condemned only for the object that was read, and by one process at a time: what another has made
meanwhile is not touched.
"""

from __future__ import annotations

import uuid

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem, WorkError
from storage_sync import waking
from storage_sync.arriving.settling import note_copy
from storage_sync.damage import losing, quarantining, straying
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.cloud import CloudSide
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

CONDEMN_SECONDS = 400  # longer than an object of 5 GiB takes to be copied inside the Space


class SpaceAwayProblem(Problem):
    """503: the bytes are not on this disk, and the Space does not give them just now."""

    def __init__(self) -> None:
        detail = "The file cannot be read just now; try again."
        super().__init__("storage_unavailable", detail, status=503, retry_after=10)


def note_local_damaged(file: StoredFile) -> None:
    """The bytes on this disk are wrong, and stay until there are right ones: they may be the best there is."""
    logger.error("local_copy_damaged", key=file.key)
    here = Copy.objects.filter(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE)
    is_news = not here.filter(state=CopyState.CORRUPT).exists()
    error = "The bytes on the disk did not have the file's sha256."
    note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.CORRUPT, error=error)
    # A cache is filled again by its next reader, a durable disk by the engine, should this reader not succeed. Told
    # once: two sides without a source would wake each other for ever.
    if is_news and settings.DISK_DURABLE:
        _make_due(file, SideName.LOCAL, settings.STORAGE_NODE)


def note_local_missing(file: StoredFile) -> None:
    """There is nothing on this disk."""
    note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.MISSING)


def note_cloud_missing(file: StoredFile) -> None:
    """There is nothing in the Space: whoever has the bytes is to put them there again."""
    logger.error("cloud_copy_missing", key=file.key)
    note_copy(file=file, side=SideName.CLOUD, state=CopyState.MISSING, error="There was no object at the file's key.")
    _make_due(file, SideName.CLOUD)


def condemn_in_cloud(*, file: StoredFile, side: CloudSide, etag: str) -> None:
    """The object with this ETag, read twice, does not have the file's sha256: put it aside, and have it made again."""
    logger.error("cloud_copy_damaged", key=file.key)
    token = _lease_of_cloud_copy(file)
    if token is None:
        return  # somebody is making or judging it at this moment
    error = "The object did not have the file's sha256."
    try:
        found = side.head(key=file.key)
        if found is not None and found.etag == etag:
            quarantining.put_aside(side=side, key=file.key)
    except WorkError as failed:
        # Still there, it must not be taken for right by its size and ETag: the next reader condemns it again.
        logger.warning("quarantine_failed", key=file.key, code=failed.code)
    finally:
        held = Copy.objects.filter(file=file, side=SideName.CLOUD, lease_token=token)
        held.update(lease_token=None, lease_until=None, next_attempt_at=Now(), error=error, updated_at=Now())
        waking.wake()


def lost_unless_elsewhere(file: StoredFile) -> Problem:
    """The answer when no copy in reach is right. The file is lost, unless another node's or the backup's may be."""
    if straying.has_strayed(file):
        return unavailable()
    losing.mark_lost(file_id=file.pk)
    if not StoredFile.objects.filter(pk=file.pk, state=FileState.LOST).exists():
        return unavailable()
    return Problem("file_lost", "Every copy of this file is damaged; operators know about it.", status=410)


def unavailable() -> Problem:
    """The answer while the bytes cannot be reached."""
    return Problem("storage_unavailable", "The file cannot be read just now; try again.", status=503, retry_after=10)


def _lease_of_cloud_copy(file: StoredFile) -> uuid.UUID | None:
    with transaction.atomic():
        # Due at once: should somebody else hold it, it is not him who would say so.
        note_copy(file=file, side=SideName.CLOUD, state=CopyState.CORRUPT)
        Copy.objects.filter(file=file, side=SideName.CLOUD).update(next_attempt_at=Now())
    token = uuid.uuid4()
    # No join in this WHERE: it would become a subquery, and let two winners through.
    free = Copy.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=Now()))
    taken = free.filter(file=file, side=SideName.CLOUD).update(
        lease_token=token, lease_until=in_seconds(CONDEMN_SECONDS), updated_at=Now()
    )
    return token if taken else None


def _make_due(file: StoredFile, side: SideName, node: str = "") -> None:
    due = Copy.objects.filter(file=file, side=side, node=node).exclude(state=CopyState.PRESENT)
    due.update(next_attempt_at=Now(), updated_at=Now())
    waking.wake()
