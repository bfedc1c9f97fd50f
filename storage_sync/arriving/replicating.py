"""Making the cloud copy of a file whose bytes lie on this disk, and not believing it until it is verified."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import BinaryIO

import structlog
from django.db.models.functions import Now
from django.utils import timezone

from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.problems import TransientError
from storage_sync import keys
from storage_sync.fingerprints import PART_BYTES
from storage_sync.models import StoredFile
from storage_sync.sides import multiparts
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.contract import Found, OccupiedKeyError
from storage_sync.sides.local import local

logger = structlog.get_logger(__name__)

KEYS_TRIED = 2


def put_verified(
    *,
    file: StoredFile,
    token: uuid.UUID,
    side: CloudSide,
    pulse: Callable[[], None],
    forwarded: Callable[[], bool] | None = None,
) -> None:
    """PUT a reserved file and compare what the store says with what we computed.

    `forwarded` makes the object of parts that were sent while the bytes came in, and says whether it could; then
    nothing is sent again.

    What does not match is deleted and tried once more under a new key (which `file` then has): a key that was ever
    wrong is not trusted again. What an earlier attempt left complete is taken. Raises TransientError, PermanentError,
    LeaseLostError.
    """
    for attempt in range(KEYS_TRIED):
        try:
            if attempt == 0 and forwarded is not None and forwarded():
                logger.debug("cloud_object_forwarded", key=file.key)
            else:
                _put_from_disk(file, side, pulse)
        except OccupiedKeyError:
            logger.info("cloud_object_found", key=file.key)
        found = side.head(key=file.key)
        if found is not None and file.held_size > PART_BYTES:
            multiparts.learn_naming(side.space, etag=found.etag, md5=file.md5)
        if vouches(found=found, file=file):
            return
        logger.error("cloud_copy_damaged", key=file.key, attempt=attempt)
        damaged = file.key
        # First the row, fenced: whoever has taken it over may be trusting that very key.
        _give_new_key(file, token)
        side.delete(key=damaged)
    raise TransientError("cloud_copy_damaged", "The Space did not keep what it was given.", retry_after=30)


def _put_from_disk(file: StoredFile, side: CloudSide, pulse: Callable[[], None]) -> None:
    with _opened(file.key) as source:
        side.put(key=file.key, source=source, size=file.held_size, content_type=file.content_type, pulse=pulse)


def _opened(key: str) -> BinaryIO:
    try:
        return local().path(key).open("rb", buffering=0)
    except OSError as error:
        raise TransientError("disk_failed", "The bytes are no longer on this disk.") from error


def vouches(*, found: Found | None, file: StoredFile) -> bool:
    """Whether a side reports the size of the file and an ETag that our own MD5s account for."""
    return found is not None and found.size == file.held_size and found.etag in file.etags


def _give_new_key(file: StoredFile, token: uuid.UUID) -> None:
    old = file.key
    new = keys.new_key(
        category=file.category, file_id=file.pk, extension=file.extension, on=timezone.now().date()
    )  # fmt: skip
    local().copy(key=old, to=new)
    if not StoredFile.objects.filter(pk=file.pk, lease_token=token).update(key=new, updated_at=Now()):
        local().delete(key=new)
        raise LeaseLostError(f"{file.pk} is no longer ours")
    file.key = new
    local().delete(key=old)
