"""Receiving a file: the steps after its bytes have landed, until it may be acknowledged.

Failure windows, in order. Before the reservation is committed: nothing is known, at worst bytes without a row lie on
this disk. After it: the sweeper finishes or drops it once the lease has run out. After the last commit: it is stored.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import Problem, WorkError
from storage_sync import keys
from storage_sync.arriving import replicating, settling
from storage_sync.arriving.intake import Intake, Landed, disk_full, disk_problem
from storage_sync.disk import blocks
from storage_sync.models import BlockDigests, Copy, StoredFile
from storage_sync.sealing.seals import NO_SEAL
from storage_sync.sides.cloud import cloud
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState, SideName

__all__ = ["Intake", "Landed", "receive", "receive_bytes"]

logger = structlog.get_logger(__name__)

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,19}/[a-z0-9][a-z0-9.+-]{0,61}(; charset=utf-8)?")


def receive(
    *,
    landed: Landed,
    name: str,
    content_type: str,
    extension: str,
    tenant_id: uuid.UUID | None,
    own: Callable[[StoredFile], None],
) -> StoredFile:
    """Make landed bytes a stored file on both sides; returning means it may be acknowledged.

    `own` is called inside the first transaction and writes the row that points at the file, invisible until stored.
    Must be called outside any transaction. Raises Problem 503 `storage_unavailable` or 507 `disk_full`, with nothing
    visible left behind, and whatever `own` raises.
    """
    file = _describe(
        landed=landed,
        name=name,
        content_type=content_type,
        extension=extension,
        tenant_id=tenant_id,
    )
    try:
        local().adopt(temp=landed.path, key=file.key)
    except OSError as error:
        raise disk_problem(error) from error
    try:
        _reserve(file, landed, own)
    except BaseException:
        with contextlib.suppress(WorkError):
            local().delete(key=file.key)
        raise
    return _complete(file, landed)


def receive_bytes(
    *,
    data: bytes,
    category: str,
    name: str,
    content_type: str,
    extension: str,
    tenant_id: uuid.UUID | None,
    own: Callable[[StoredFile], None],
    is_confidential: bool = False,
) -> StoredFile:
    """The same for small files that a worker made in memory."""
    with Intake(
        category=category,
        largest=len(data),
        announced_size=len(data),
        may_be_empty=True,
        is_confidential=is_confidential,
    ) as intake:
        intake.write(data)
        return receive(
            landed=intake.land(),
            name=name,
            content_type=content_type,
            extension=extension,
            tenant_id=tenant_id,
            own=own,
        )


def _describe(
    *,
    landed: Landed,
    name: str,
    content_type: str,
    extension: str,
    tenant_id: uuid.UUID | None,
) -> StoredFile:
    seal = None if landed.sealing is None else landed.sealing.seal
    file = StoredFile(
        pk=landed.file_id,
        category=landed.category,
        name=name.replace("\x00", "").encode("utf-8", "replace").decode()[:255],
        extension=keys.clean_extension(extension),
        content_type=content_type if _MEDIA_TYPE.fullmatch(content_type) else "application/octet-stream",
        size=landed.size,
        sha256=landed.sha256,
        md5=landed.fingerprint.md5,
        composite_md5=landed.fingerprint.composite_md5,
        tenant_id=tenant_id,
        is_confidential=seal is not None,
        lease_token=uuid.uuid4(),
        **(NO_SEAL if seal is None else seal.columns(landed.fingerprint)),
    )
    today = timezone.now().date()
    file.key = (
        keys.new_key(category=file.category, file_id=file.pk, extension=file.extension, on=today)
        if landed.forwarded is None
        else landed.forwarded.key
    )
    return file


def _reserve(file: StoredFile, landed: Landed, own: Callable[[StoredFile], None]) -> None:
    """TX1: the reservation under a lease, what is known of its copies, and the owner's row."""
    with transaction.atomic(durable=True):
        file.lease_until = in_seconds(settling.LEASE_SECONDS)  # by the database's clock
        file.save(force_insert=True)
        file.refresh_from_db(fields=["lease_until"])
        copies = [
            Copy(
                file=file,
                side=SideName.LOCAL,
                node=settings.STORAGE_NODE,
                state=CopyState.PRESENT,
                verified_at=timezone.now(),
            )
        ]
        if cloud() is not None:
            copies.append(Copy(file=file, side=SideName.CLOUD))
        Copy.objects.bulk_create(copies)
        if blocks.are_wanted(file):
            BlockDigests.objects.create(file=file, digests=landed.fingerprint.blocks)
        own(file)


def _complete(file: StoredFile, landed: Landed) -> StoredFile:
    """The cloud copy and TX2, or an abandoned reservation."""
    lease = settling.Lease(file)
    try:
        # Where the disk is enough, nobody waits for the Space: the copy is made as soon as the file is stored.
        side = None if settings.STORAGE_ACK == "local" else cloud()
        if side is not None:
            # Outside any transaction: a PUT may take minutes.
            replicating.put_verified(
                file=file, token=lease.token, side=side, pulse=lease, forwarded=_forwarded(landed, lease)
            )
        return settling.finish(file_id=file.pk, token=lease.token, on_cloud=side is not None, on_local=True)
    except LeaseLostError:
        return _as_settled_by_another(file)
    except WorkError as error:
        logger.warning("receiving_failed", file=str(file.pk), code=error.code, detail=error.detail)
        _give_up(file, lease)
        if error.code == "disk_full":
            raise disk_full() from error
        detail = "The file could not be stored safely; nothing was kept. Try again."
        raise Problem("storage_unavailable", detail, status=503, retry_after=10) from error
    except Problem:
        _give_up(file, lease)
        raise


def _forwarded(landed: Landed, lease: settling.Lease) -> Callable[[], bool] | None:
    forwarded = landed.forwarded
    if forwarded is None:
        return None
    size, part_md5s = landed.fingerprint.size, landed.part_md5s
    return lambda: forwarded.finish(size=size, part_md5s=part_md5s, pulse=lease)


def _as_settled_by_another(file: StoredFile) -> StoredFile:
    """We were so slow that the sweeper took over: what it decided is what happened."""
    now = StoredFile.objects.get(pk=file.pk)
    if now.state == FileState.STORED:
        return now
    raise Problem("storage_unavailable", "The file could not be stored in time.", status=503, retry_after=10)


def _give_up(file: StoredFile, lease: settling.Lease) -> None:
    """Abandon the reservation; bytes on this disk go at once, the cloud's when nothing can arrive any more."""
    if not settling.drop(file_id=file.pk, token=lease.token):
        return
    with contextlib.suppress(WorkError):
        local().delete(key=file.key)
        settling.note_copy(
            file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.MISSING
        )  # fmt: skip
