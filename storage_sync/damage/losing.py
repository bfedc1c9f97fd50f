"""Saying that a file is lost, and that it was found again: both in one transaction with their record and their signal.

A file is lost when no copy is present any more. It is looked for again at every read and reconciliation.
"""

from __future__ import annotations

import uuid

import structlog
from django.db import transaction
from django.db.models.functions import Now

from chatvista.foundation import audit
from storage_sync.models import Copy, StoredFile
from storage_sync.signals import file_found, file_lost
from storage_sync.vocabulary import CopyState, FileState

logger = structlog.get_logger(__name__)


def mark_lost(*, file_id: uuid.UUID, as_seen: StoredFile | None = None) -> bool:
    """Declare a file lost unless some copy of it is present by now; whether it was declared.

    Given the row `as_seen` before the sides were asked, nothing is declared of a file that has changed since.
    """
    with transaction.atomic():
        file = StoredFile.objects.select_for_update().readable().filter(pk=file_id).first()
        # The copies are locked, too: somebody is perhaps making one at this moment.
        copies = list(Copy.objects.select_for_update().filter(file_id=file_id).order_by("pk"))
        if file is None or (as_seen is not None and file.updated_at != as_seen.updated_at):
            return False
        if any(copy.state == CopyState.PRESENT for copy in copies):
            return False
        StoredFile.objects.filter(pk=file_id).update(state=FileState.LOST, updated_at=Now())
        file.refresh_from_db()
        logger.error("file_lost", file=str(file.pk), key=file.key)
        audit.record(action="file.lost", target_kind="file", target_id=file.pk, tenant_id=file.tenant_id)
        file_lost.send(sender=StoredFile, file=file)
    return True


def welcome_back(*, file_id: uuid.UUID) -> bool:
    """Right bytes turned up: a lost file is again what it was before; whether it had been lost."""
    with transaction.atomic():
        file = StoredFile.objects.select_for_update().filter(pk=file_id, state=FileState.LOST).first()
        if file is None:
            return False
        was = FileState.STORED if file.archived_at is None else FileState.ARCHIVED
        StoredFile.objects.filter(pk=file_id).update(state=was, updated_at=Now())
        file.refresh_from_db()
        logger.warning("file_found_again", file=str(file.pk), key=file.key)
        audit.record(action="file.found", target_kind="file", target_id=file.pk, tenant_id=file.tenant_id)
        file_found.send(sender=StoredFile, file=file)
    return True
