"""Beginning an upload: its row, with the place where its bytes will lie for good."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.utils import timezone

from chatvista.foundation.ciphers import sealed_size
from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem
from chatvista.foundation.records import uuid7
from storage_sync import keys
from storage_sync.arriving.intake import disk_full
from storage_sync.models import Upload, UploadKind, UploadState
from storage_sync.sides.cloud import cloud
from storage_sync.sides.local import local
from storage_sync.sides.multiparts import begin as begin_multipart
from storage_sync.uploading import holding
from storage_sync.uploading.pieces import new_seal_columns

MOST_OPEN = 100
UNDER_WAY = ("open", "finishing")


def begin(
    *,
    kind: UploadKind,
    purpose: str,
    params: dict[str, Any],
    category: str,
    name: str,
    content_type: str,
    extension: str,
    tenant_id: uuid.UUID | None,
    owner_id: uuid.UUID,
    size: int,
    declared_sha256: str = "",
    is_confidential: bool = False,
    upload_id: uuid.UUID | None = None,
) -> Upload:
    """Write the row of a new upload, in the caller's transaction if there is one.

    Args:
        size: bytes announced; 0 where a direct upload does not say.
        upload_id: the id to give it, so that a repeated request finds its own first attempt.

    Raises:
        Problem: 409 `confidential_uploads_go_through_us` or `direct_uploads_need_a_space`, 413 `body_too_large` or
            `too_large_to_seal`, 429 `too_many_uploads`, 507 `disk_full`.
    """
    if size > settings.LARGEST_UPLOAD_BYTES:
        raise Problem("body_too_large", f"At most {settings.LARGEST_UPLOAD_BYTES} bytes are taken.", status=413)
    if is_confidential and (kind == UploadKind.DIRECT or cloud() is None):
        detail = "Recordings of confidential meetings go through this service, which seals them, and into a Space."
        raise Problem("confidential_uploads_go_through_us", detail, status=409)
    if is_confidential:
        _require_a_disk_to_seal_on(size)
    if cloud() is None:
        if kind == UploadKind.DIRECT:
            detail = "There is no Space to upload to; use the resumable uploads at /api/v1/uploads."
            raise Problem("direct_uploads_need_a_space", detail, status=409)
        local().lay_out()
        if local().free_bytes() - size < settings.DISK_RESERVE_BYTES:
            raise disk_full()
    if Upload.objects.filter(owner_id=owner_id, state__in=UNDER_WAY).count() >= MOST_OPEN:
        detail = f"You have {MOST_OPEN} unfinished uploads; finish or end one of them first."
        raise Problem("too_many_uploads", detail, status=429, retry_after=60)
    key = keys.new_key(category=category, file_id=uuid7(), extension=extension, on=timezone.now().date())
    made_id = upload_id or uuid7()
    upload = Upload.objects.create(
        id=made_id,
        kind=kind,
        purpose=purpose,
        params=params,
        category=category,
        name=name[:255],
        content_type=content_type[:100],
        tenant_id=tenant_id,
        owner_id=owner_id,
        size=size,
        declared_sha256=declared_sha256,
        key=key,
        **(new_seal_columns(made_id) if is_confidential else {}),
        expires_at=in_seconds(settings.UPLOAD_SECONDS),
    )
    upload.refresh_from_db(fields=["expires_at"])
    return upload


def open_at_the_space(upload: Upload) -> None:
    """Let the Space know of a direct upload, outside any transaction.

    Raises Problem 410 `upload_gone`, TransientError, PermanentError.
    """
    side = cloud()
    if side is None:
        raise Problem("direct_uploads_need_a_space", "There is no Space to upload to.", status=409)
    if upload.state != UploadState.OPEN:
        raise holding.gone(upload)
    upload.multipart_id = begin_multipart(side=side, key=upload.key, content_type=upload.content_type).upload_id
    upload.save(update_fields=["multipart_id", "updated_at"])


def forget_unopened(upload: Upload) -> None:
    """Drop the row of a direct upload that the Space did not take, so that the same request may begin it again."""
    Upload.objects.filter(pk=upload.pk, state=UploadState.OPEN, multipart_id="").delete()


def _require_a_disk_to_seal_on(size: int) -> None:
    """What can never lie on this disk as a whole, sealed, is not taken up to its last byte first."""
    local().lay_out()
    most = local().total_bytes() - settings.DISK_RESERVE_BYTES
    if sealed_size(size) > most:
        detail = f"A confidential file is sealed on this service's disk, which takes less than {max(0, most)} bytes."
        raise Problem("too_large_to_seal", detail, status=413)
