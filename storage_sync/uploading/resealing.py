"""From the sealed pieces of a confidential upload to its sealed file: opened in memory, sealed again, received.

A sealed file has its own key, and its frames are numbered from its beginning: the pieces cannot simply be joined. It is
received like a body that comes at once, so what a killed process leaves is finished or dropped by the sweeper of
reservations; the upload's row says which file it became, and is looked at again until that one is stored.
"""

from __future__ import annotations

import structlog
from django.db.models.functions import Now

from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.problems import TransientError, WorkError
from storage_sync.arriving import receiving
from storage_sync.arriving.receiving import Intake
from storage_sync.models import StoredFile, Upload, UploadState
from storage_sync.sides.cloud import CloudSide
from storage_sync.uploading import pieces
from storage_sync.uploading.holding import Hold
from storage_sync.uploading.purposes import Purpose
from storage_sync.uploading.storing import Pulse
from storage_sync.vocabulary import FileState

logger = structlog.get_logger(__name__)


def store_sealed(*, hold: Hold, purpose: Purpose, side: CloudSide, pulse: Pulse) -> None:
    """Store the file of a confidential upload. Raises LeaseLostError, WorkError, and what receiving raises."""
    if not _is_stored_already(hold):
        _receive(hold, purpose, side, pulse)
    finished = {"state": UploadState.FINISHED, "lease_token": None, "lease_until": None, "updated_at": Now()}
    if not hold.rows().update(**finished):
        raise LeaseLostError(f"{hold.upload.pk} is no longer ours")
    hold.upload.refresh_from_db()
    _forget_pieces(hold.upload, side)


def _is_stored_already(hold: Hold) -> bool:
    """What became of an earlier attempt. TransientError while its reservation is still to be settled."""
    file = hold.upload.file
    if file is None:
        return False
    if file.state == FileState.RESERVED:
        raise TransientError("upload_being_settled", "An earlier attempt is being settled.", retry_after=30)
    if file.state == FileState.ABANDONED:
        hold.write(file=None)
        return False
    return True


def _receive(hold: Hold, purpose: Purpose, side: CloudSide, pulse: Pulse) -> None:
    upload = hold.upload

    def own(file: StoredFile) -> None:
        if not hold.rows().select_for_update().exists():
            raise LeaseLostError(f"{upload.pk} is no longer ours")
        # From here on the file counts against the quota, and the upload no more.
        Upload.objects.filter(pk=upload.pk).update(file=file)
        purpose.own(upload, file, facts, None)

    with Intake(
        category=upload.category,
        largest=upload.size,
        announced_size=upload.size,
        expected_sha256=upload.declared_sha256 or None,
        is_confidential=True,
    ) as intake:
        for piece in pieces.pieces_of(side=side, upload=upload):
            intake.write(piece)
            pulse(0)
        landed = intake.land()
        with landed.opened() as media:
            facts = purpose.probe(upload, media)
        receiving.receive(
            landed=landed,
            name=upload.name,
            content_type=facts.content_type,
            extension=facts.extension,
            tenant_id=upload.tenant_id,
            own=own,
        )


def _forget_pieces(upload: Upload, side: CloudSide) -> None:
    """They are of no use any more; those that stay are strays, and swept."""
    try:
        for part in upload.parts:
            side.delete(key=part["key"])
    except WorkError as error:
        logger.info("upload_pieces_stay_for_now", upload=str(upload.pk), code=error.code)
