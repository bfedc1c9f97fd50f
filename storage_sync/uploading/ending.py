"""Ending uploads that come to nothing: by their owner, by their age, or because they were refused."""

from __future__ import annotations

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from chatvista.foundation.problems import Problem, WorkError
from storage_sync.models import Upload, UploadState
from storage_sync.sides.cloud import cloud
from storage_sync.sides.local import local
from storage_sync.sides.multiparts import Multipart
from storage_sync.uploading import appending, holding
from storage_sync.uploading.pieces import piece_prefix

logger = structlog.get_logger(__name__)


def terminate(upload: Upload) -> None:
    """End an upload at once; a request that still works on it cannot commit any more.

    Raises Problem 409 `upload_finished`, 410 `upload_gone`, 423 `upload_locked` while it is being finished.
    """
    unfinished = Q(state=UploadState.OPEN) | (Q(state=UploadState.FINISHING, file__isnull=True) & holding.is_free())
    ended = Upload.objects.filter(unfinished, pk=upload.pk).update(
        state=UploadState.TERMINATED, lease_token=None, lease_until=None, updated_at=Now()
    )
    upload.refresh_from_db()
    if not ended:
        if upload.state == UploadState.FINISHED:
            raise Problem("upload_finished", "This upload is finished; delete what came of it.", status=409)
        raise holding.locked() if upload.state == UploadState.FINISHING else holding.gone(upload)
    logger.info("upload_terminated", upload=str(upload.pk), offset=upload.offset)
    clean_up(upload)


def expire(upload: Upload) -> bool:
    """End an upload whose time has passed; False when somebody works on it by now, or all its bytes have come."""
    overdue = Upload.objects.filter(holding.is_free(), pk=upload.pk, state=UploadState.OPEN, expires_at__lt=Now())
    if not overdue.update(state=UploadState.TERMINATED, lease_token=None, lease_until=None, updated_at=Now()):
        return False
    upload.refresh_from_db()
    logger.info("upload_expired", upload=str(upload.pk), offset=upload.offset)
    clean_up(upload)
    return True


def has_remains() -> Q:
    """Which uploads that came to nothing have left something behind, as far as their rows tell."""
    ended = Q(state__in=[UploadState.TERMINATED, UploadState.FAILED])
    return ended & (~Q(multipart_id="") | ~Q(tail_key="") | ~Q(parts=[]))


def clean_up(upload: Upload) -> bool:
    """Remove what an upload that came to nothing has left; False when it has to be tried again."""
    try:
        appending.path_of(upload).unlink(missing_ok=True)
        local().delete(key=upload.key)
        side = cloud()
        if side is not None:
            if upload.multipart_id:
                Multipart(side, upload.key, upload.multipart_id).abort()
                side.delete(key=upload.key)
            if upload.tail_key or upload.is_confidential:
                for found in side.page(prefix=piece_prefix(upload)).found:
                    side.delete(key=found.key)
    except (WorkError, OSError) as error:
        logger.warning("upload_remains_for_now", upload=str(upload.pk), error=str(error))
        return False
    Upload.objects.filter(has_remains(), pk=upload.pk).update(multipart_id="", parts=[], tail_key="", tail_size=0)
    return True
