"""Files of any age, and time that passes: by the database's clock, which is the one that counts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from storage_sync.models import Copy, RetentionPolicy, StoredFile
from storage_sync.retaining import archiving
from storage_sync.retaining.selecting import database_now
from tests.storage_sync.making import store

SECOND = dt.timedelta(seconds=1)


def policy(**facts: Any) -> RetentionPolicy:
    """A policy for recordings unless the facts say otherwise."""
    return RetentionPolicy.objects.create(**{"category": "recordings", **facts})


def stored(*, days: float = 0, tenant_id: uuid.UUID | None = None, off: dt.timedelta = dt.timedelta()) -> StoredFile:
    """A file that was stored that many days ago; `off` later."""
    file = store(tenant_id=tenant_id or uuid.uuid4())
    StoredFile.objects.filter(pk=file.pk).update(stored_at=database_now() - dt.timedelta(days=days) + off)
    return fresh(file)


def archived(*, days: float = 0, tenant_id: uuid.UUID | None = None, off: dt.timedelta = dt.timedelta()) -> StoredFile:
    """A file that was archived that many days ago, its bytes moved or still to be."""
    file = stored(days=days, tenant_id=tenant_id)
    archiving.archive(file)
    StoredFile.objects.filter(pk=file.pk).update(archived_at=database_now() - dt.timedelta(days=days) + off)
    return fresh(file)


def fresh(file: StoredFile) -> StoredFile:
    """The file's row as it is now."""
    return StoredFile.objects.get(pk=file.pk)


def let_time_pass() -> None:
    """Everything that waits for its time is due now, and every lease has run out."""
    past = database_now() - SECOND
    StoredFile.objects.exclude(other_key="").update(other_key_until=past)
    StoredFile.objects.exclude(lease_until=None).update(lease_until=past)
    Copy.objects.exclude(next_attempt_at=None).update(next_attempt_at=past)
