"""Saying that a file is lost, and that it was found again: both in one transaction with their record and their signal.

A file is lost when no copy is present any more, nor any that nobody can look at may be. It is looked for again at
every read and reconciliation.
"""

from __future__ import annotations

import uuid

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from chatvista.foundation import audit
from storage_sync.models import Copy, Node, StoredFile
from storage_sync.presence.dying import DIED, REPLACED
from storage_sync.signals import file_found, file_lost
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)


def perhaps_right() -> Q:
    """Copies that are not known to be right, and may be: of the pool, and on durable disks that were not looked at.

    Such a disk is that of a node that died, is being taken out of the count, or is just back and has not tried yet.
    """
    durable = Node.objects.filter(is_durable=True)
    dead = Q(node__in=durable.filter(died_at__isnull=False).values("name"))
    taken_out = Q(error__in=[DIED, REPLACED]) | Q(error="", attempts=0, next_attempt_at__isnull=False)
    unseen = Q(node__in=durable.values("name"), state=CopyState.MISSING, verified_at__isnull=False) & taken_out
    return (Q(side=SideName.POOL) | Q(side=SideName.LOCAL) & (dead | unseen)) & ~Q(state=CopyState.CORRUPT)


def mark_lost(*, file_id: uuid.UUID, as_seen: StoredFile | None = None) -> bool:
    """Declare a file lost unless some copy of it is present by now, or may be; whether it was declared.

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
        if Copy.objects.filter(perhaps_right(), file_id=file_id).exists():
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
