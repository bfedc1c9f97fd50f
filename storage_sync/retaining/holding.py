"""Legal hold: a file that is held can be archived and restored, but not purged, neither by policy nor by an operator.

Both deeds lock the file's row, as beginning a purge does: of two at the same moment the first decides.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.problems import Problem
from storage_sync.models import LegalHold, StoredFile
from storage_sync.vocabulary import FileState

HOLDABLE = (FileState.STORED, FileState.ARCHIVED, FileState.LOST, FileState.QUARANTINED)


def put_hold(
    *, file_id: uuid.UUID, reason: str, put_by: uuid.UUID | None = None, is_operator: bool = False
) -> LegalHold:
    """Hold a file; a hold for another reason takes the place of the one there is, the same changes nothing.

    Problem 404 `not_found`, 410 `file_purged`, 403 `permission_denied` where an operator holds it.
    """
    with transaction.atomic():
        file = _locked(file_id)
        now = _current(file)
        if now is not None:
            _require_may_change(now, is_operator=is_operator)
            if now.reason == reason and now.is_operators == is_operator:
                return now
            _end(now, by=put_by, because="Replaced.")
        made = LegalHold.objects.create(file=file, reason=reason, put_by=put_by, is_operators=is_operator)
        StoredFile.objects.filter(pk=file.pk).update(has_legal_hold=True, updated_at=Now())
        _tell("file.held", file, by=put_by, reason=reason)
    return made


def lift_hold(
    *, file_id: uuid.UUID, because: str = "", lifted_by: uuid.UUID | None = None, is_operator: bool = False
) -> bool:
    """Lift the hold; False where there is none. Problem 403 `permission_denied` where an operator put it."""
    with transaction.atomic():
        file = _locked(file_id)
        now = _current(file)
        if now is not None:
            _require_may_change(now, is_operator=is_operator)
            _end(now, by=lifted_by, because=because)
        if not StoredFile.objects.filter(pk=file.pk, has_legal_hold=True).update(
            has_legal_hold=False, updated_at=Now()
        ):
            return False
        _tell("file.released", file, by=lifted_by, reason=because)
    return True


def current_hold(file: StoredFile) -> LegalHold | None:
    """Why a file is held, or None; asks the database only where it is."""
    return _current(file) if file.has_legal_hold else None


def _locked(file_id: uuid.UUID) -> StoredFile:
    file = StoredFile.objects.select_for_update().filter(pk=file_id).first()
    if file is not None and file.state in {FileState.PURGING, FileState.PURGED}:
        raise Problem("file_purged", "This file was removed for good.", status=410)
    if file is None or file.state not in HOLDABLE:
        raise Problem("not_found", "There is nothing here that you may see.", status=404)
    return file


def _current(file: StoredFile) -> LegalHold | None:
    return LegalHold.objects.filter(file=file, lifted_at__isnull=True).first()


def _require_may_change(hold: LegalHold, *, is_operator: bool) -> None:
    if hold.is_operators and not is_operator:
        raise Problem("permission_denied", "An operator holds this file; ask them.", status=403)


def _end(hold: LegalHold, *, by: uuid.UUID | None, because: str) -> None:
    LegalHold.objects.filter(pk=hold.pk).update(
        lifted_at=Now(), lifted_by=by, lifted_because=because[:500], updated_at=Now()
    )  # fmt: skip


def _tell(action: str, file: StoredFile, *, by: uuid.UUID | None, reason: str) -> None:
    audit.record(
        action=action, target_kind="file", target_id=file.pk, actor=by, tenant_id=file.tenant_id, reason=reason
    )  # fmt: skip
