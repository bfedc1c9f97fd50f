"""Holding an upload: one request at a time, by a lease that is renewed while the client or the Space moves.

A request that was killed, or whose client fell silent, lets its lease run out within seconds, and the next one may go
on. Everything is written by conditional UPDATEs that name the token: what comes back late cannot commit.
"""

from __future__ import annotations

import time
import uuid

import structlog
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from chatvista.foundation.heartbeats import Pulse
from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import Problem
from storage_sync.models import Upload, UploadKind, UploadState

logger = structlog.get_logger(__name__)

# Short: clients of tus give up within some nine seconds. Without a rival a late renewal holds, too.
LEASE_SECONDS = 6.0
RENEW_SECONDS = 1.0


class Hold(Pulse):
    """A lease on an upload."""

    def __init__(self, upload: Upload, token: uuid.UUID) -> None:
        super().__init__(every=RENEW_SECONDS, name=f"upload {upload.pk}")
        self.upload, self.token = upload, token

    def renew(self) -> bool:
        """Keep the lease for another while; False when it is lost."""
        return bool(self.rows().update(lease_until=in_seconds(LEASE_SECONDS)))

    def write(self, **fields: object) -> None:
        """Write fields and renew the lease; raises LeaseLostError, with nothing written, when it is not ours."""
        if not self.rows().update(**fields, lease_until=in_seconds(LEASE_SECONDS), updated_at=Now()):
            raise LeaseLostError(f"{self.upload.pk} is no longer ours")
        self._renewed = time.monotonic()
        for name, value in fields.items():
            setattr(self.upload, name, value)

    def let_go(self) -> None:
        """Give the lease back; fine when it is lost already."""
        # One that is being finished keeps a token, which nobody holds: the row must say that it was begun.
        self.rows().filter(state=UploadState.FINISHING).update(lease_token=uuid.uuid4(), lease_until=Now())
        self.rows().exclude(state=UploadState.FINISHING).update(lease_token=None, lease_until=None)

    def rows(self) -> QuerySet[Upload]:
        """The row while it is ours."""
        under_way = [UploadState.OPEN, UploadState.FINISHING]
        return Upload.objects.filter(pk=self.upload.pk, lease_token=self.token, state__in=under_way)


def is_free() -> Q:
    """Which uploads nobody works on."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=Now())


def hold(*, upload_id: uuid.UUID, state: UploadState, offset: int | None = None) -> Hold:
    """Take an upload in that state, standing at that offset (None: wherever it stands).

    Raises Problem 409 `upload_offset_conflict`, 410 `upload_gone`, 423 `upload_locked`, or why it failed.
    """
    token = uuid.uuid4()
    rows = Upload.objects.filter(is_free(), pk=upload_id, state=state)
    if state == UploadState.OPEN:
        rows = rows.filter(expires_at__gt=Now())
    if offset is not None:
        rows = rows.filter(offset=offset)
    taken = rows.update(lease_token=token, lease_until=in_seconds(LEASE_SECONDS), updated_at=Now())
    upload = Upload.objects.get(pk=upload_id)
    if not taken:
        raise _refusal(upload, state, offset)
    return Hold(upload, token)


def complete(rows: QuerySet[Upload]) -> int:
    """Let free uploads that have all their bytes and are still `open` be finished; how many there were.

    Nobody leaves such any more, but earlier versions did, killed between the last byte and the word that it came.
    """
    left = rows.filter(is_free(), kind=UploadKind.CHUNKS, state=UploadState.OPEN, size__gt=0, offset=F("size"))
    return left.update(state=UploadState.FINISHING, lease_token=uuid.uuid4(), lease_until=Now(), updated_at=Now())


def locked() -> Problem:
    """The answer while another request works on the upload."""
    return Problem("upload_locked", "Another request is working on this upload.", status=423, retry_after=2)


def gone(upload: Upload) -> Problem:
    """Why an upload takes nothing more: it failed, was ended, or its time has passed."""
    if upload.state == UploadState.FAILED and upload.problem:
        known = upload.problem
        return Problem(known["code"], known["detail"], status=known["status"])
    return Problem("upload_gone", "This upload was ended or has expired; begin it anew.", status=410)


def _refusal(upload: Upload, state: UploadState, offset: int | None) -> Problem:
    if upload.state in {UploadState.TERMINATED, UploadState.FAILED}:
        return gone(upload)
    if offset is not None and offset != upload.offset:
        return Problem("upload_offset_conflict", f"The upload stands at byte {upload.offset}.", status=409)
    if upload.state == UploadState.OPEN == state and not _is_leased(upload):
        return gone(upload)  # expired, and not yet swept
    return locked()


def _is_leased(upload: Upload) -> bool:
    return not Upload.objects.filter(is_free(), pk=upload.pk).exists()
