"""Verifying a file that was uploaded past us, or was too large to be read at once: every byte is read, once.

Then its sha256 is known, and this disk has a copy where there is room. Bytes that are not what the uploader had
declared are put aside.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.problems import PermanentError, TransientError
from chatvista.foundation.working import Work
from storage_sync.arriving import settling
from storage_sync.damage import quarantining
from storage_sync.disk import blocks
from storage_sync.fingerprints import Fingerprint
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.cloud import cloud
from storage_sync.sides.contract import OccupiedKeyError
from storage_sync.sides.local import local
from storage_sync.sides.multiparts import Part
from storage_sync.signals import file_verified
from storage_sync.uploading.gathering import fingerprint_of, gathered
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

UNREAD = (FileState.STORED, FileState.ARCHIVED)


def prove(work: Work) -> None:
    """Do one verification job.

    Raises PermanentError `digest_mismatch` when the file was put aside; `file_purged` when it is no longer there.
    """
    file = StoredFile.objects.filter(pk=work.job.subject_id).first()
    if file is not None and file.state == FileState.QUARANTINED:
        raise _mismatch(file.sha256)
    if file is None or file.state not in UNREAD:
        raise PermanentError("file_purged", "The file is no longer there to be verified.")
    if file.sha256 is not None:
        return
    work.enter("reading")
    size = max(1, file.size)

    def pulse(count: int) -> None:
        work.progress(count / size)

    side = cloud()
    if side is None:
        _settle(work, file, fingerprint_of(local().path(file.key), pulse=pulse, until=math.inf), lambda: True)
        return
    parts = [Part(*part) for part in work.job.params["parts"]]
    with gathered(side=side, key=file.key, parts=parts, pulse=pulse, until=math.inf) as read:

        def adopt() -> bool:
            if read.path is None:
                return False
            try:
                local().adopt(temp=read.path, key=file.key)
            except OccupiedKeyError:
                logger.info("local_copy_found", key=file.key)
            return True

        _settle(work, file, read.fingerprint, adopt)


def _settle(work: Work, file: StoredFile, fingerprint: Fingerprint, adopt: Callable[[], bool]) -> None:
    declared = work.job.params.get("declared_sha256") or fingerprint.sha256
    if declared != fingerprint.sha256:
        _quarantine(file, fingerprint)
        raise _mismatch(fingerprint.sha256)
    work.enter("writing")
    is_local = adopt()
    with work.finishing():
        unread = StoredFile.objects.filter(pk=file.pk, sha256__isnull=True, key=file.key, state__in=UNREAD)
        known = {"sha256": fingerprint.sha256, "md5": fingerprint.md5, "updated_at": Now()}
        if not unread.update(**known):
            raise TransientError("file_moved", "The file was moved while it was read.")
        file.refresh_from_db()
        if is_local:
            settling.note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.PRESENT)
        if cloud() is not None:
            settling.note_copy(file=file, side=SideName.CLOUD, state=CopyState.PRESENT)
        blocks.keep(file=file, digests=fingerprint.blocks)
        audit.record(
            action="file.verified",
            target_kind="file",
            target_id=file.pk,
            tenant_id=file.tenant_id,
            sha256=file.sha256,
            size=file.size,
        )
        file_verified.send(sender=StoredFile, file=file)


def _mismatch(sha256: str | None) -> PermanentError:
    return PermanentError("digest_mismatch", f"The sha256 of what was uploaded is {sha256}, not the declared one.")


def _quarantine(file: StoredFile, fingerprint: Fingerprint) -> None:
    """Take it out of everybody's sight, then its bytes out of the way."""
    with transaction.atomic():
        unread = StoredFile.objects.filter(pk=file.pk, sha256__isnull=True, state__in=UNREAD)
        if not unread.update(state=FileState.QUARANTINED, sha256=fingerprint.sha256, updated_at=Now()):
            return
        Copy.objects.filter(file=file).update(state=CopyState.MISSING, next_attempt_at=None, updated_at=Now())
        audit.record(
            action="file.quarantined",
            target_kind="file",
            target_id=file.pk,
            tenant_id=file.tenant_id,
            sha256=fingerprint.sha256,
        )
    logger.error("upload_is_not_what_was_declared", file=str(file.pk), key=file.key, sha256=fingerprint.sha256)
    for side in (cloud(), local()):
        if side is not None:
            quarantining.put_aside(side=side, key=file.key)
