"""The one transaction that makes an upload a stored file: its row, its copies, its owner, and the end of the upload."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from chatvista.foundation import working
from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.models import Job
from chatvista.foundation.problems import TransientError
from storage_sync import keys
from storage_sync.arriving import settling
from storage_sync.disk import blocks, caching
from storage_sync.fingerprints import Fingerprint
from storage_sync.giving.seekable import Seekable
from storage_sync.models import Copy, StoredFile, Upload, UploadState
from storage_sync.sides import multiparts
from storage_sync.sides.cloud import cloud
from storage_sync.sides.contract import CHUNK_BYTES
from storage_sync.sides.multiparts import Part
from storage_sync.uploading.holding import Hold
from storage_sync.uploading.purposes import Facts, Purpose
from storage_sync.vocabulary import CopyState, FileState, SideName

VERIFICATION = "verification"
Pulse = Callable[[int], None]


def store(
    *,
    hold: Hold,
    parts: Sequence[Part],
    fingerprint: Fingerprint | None,
    facts: Facts,
    purpose: Purpose,
    is_local: bool,
) -> StoredFile:
    """Store the file of an upload whose bytes are in place. Raises LeaseLostError, and what the purpose raises.

    Without a fingerprint nobody has read them yet: the sha256 stays unknown, and a job will find it.
    """
    upload = hold.upload
    with transaction.atomic(durable=True):
        if not hold.rows().select_for_update().exists():
            raise LeaseLostError(f"{upload.pk} is no longer ours")
        file = _described(upload, parts, fingerprint, facts)
        file.save(force_insert=True)
        file.refresh_from_db(fields=["stored_at"])
        Copy.objects.bulk_create(_copies(file, is_local=is_local))
        job = None if fingerprint is not None else _queue_verification(upload, file, parts)
        # Before the owner looks at the quota: these bytes count once.
        finished = {"state": UploadState.FINISHED, "file": file, "lease_token": None, "lease_until": None}
        hold.rows().update(**finished, updated_at=Now())
        purpose.own(upload, file, facts, job)
        settling.announce_stored(file, actor=upload.owner_id)
        if fingerprint is not None:
            blocks.keep(file=file, digests=fingerprint.blocks)
    upload.refresh_from_db()
    if is_local:
        caching.note_growth(file.size)
    return file


@contextmanager
def readable(upload: Upload, path: Path | None) -> Iterator[Path | BinaryIO]:
    """The uploaded bytes for whoever probes them: on this disk, or part by part from the Space."""
    if path is not None:
        yield path
        return
    side = cloud()
    if side is None:
        raise TransientError("nothing_to_move", "This node does not have the upload.")
    source = Seekable(size=upload.size, begin=lambda at: side.read(key=upload.key, start=at))
    with io.BufferedReader(source, CHUNK_BYTES) as reader:
        yield reader


def _described(
    upload: Upload, parts: Sequence[Part], fingerprint: Fingerprint | None, facts: Facts
) -> StoredFile:  # fmt: skip
    # What an S3 store reports of an object put in these parts; as we put it ourselves, where there is no Space.
    composite = multiparts.composite_etag(list(parts)) if parts else fingerprint.composite_md5 if fingerprint else ""
    return StoredFile(
        pk=keys.file_id_of(upload.key),
        category=upload.category,
        name=upload.name,
        key=upload.key,
        extension=keys.clean_extension(facts.extension),
        content_type=facts.content_type,
        size=upload.size,
        sha256=fingerprint.sha256 if fingerprint else None,
        md5=fingerprint.md5 if fingerprint else "",
        composite_md5=composite,
        tenant_id=upload.tenant_id,
        state=FileState.STORED,
        stored_at=Now(),
    )


def _copies(file: StoredFile, *, is_local: bool) -> list[Copy]:
    seen: dict[str, object] = {"file": file, "state": CopyState.PRESENT, "verified_at": timezone.now()}
    copies = [Copy(side=SideName.LOCAL, node=settings.STORAGE_NODE, **seen)] if is_local else []
    return copies if cloud() is None else [*copies, Copy(side=SideName.CLOUD, **seen)]


def _queue_verification(upload: Upload, file: StoredFile, parts: Sequence[Part]) -> Job:
    return working.queue_job(
        kind=VERIFICATION,
        tenant_id=upload.tenant_id or upload.owner_id,
        subject_id=file.pk,
        params={
            "declared_sha256": upload.declared_sha256,
            "parts": [[part.number, part.size, part.etag] for part in parts],
        },
    )
