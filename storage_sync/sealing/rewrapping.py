"""Changing the master key: the small keys of files are wrapped again, in batches; not one byte of a file is touched.

So are those of confidential uploads that are under way: days may pass between their first piece and their last.
What is to be done is told by the rows alone, so a run that was killed is simply repeated, and two at once do no harm.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db.models import Count, Manager, QuerySet

from chatvista.foundation import audit, master_keys
from chatvista.foundation.problems import PermanentError
from storage_sync.models import StoredFile, Upload, UploadState
from storage_sync.sealing import seals
from storage_sync.uploading import pieces

logger = structlog.get_logger(__name__)

BATCH = 500


@dataclass
class Rewrapped:
    """What a run did (or would do): keys wrapped again, and those that could not be, by the reason's code."""

    done: int = 0
    left: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unknown_keys: set[str] = field(default_factory=set)


def rewrap_all(*, is_dry_run: bool = False, tell: Callable[[int], None] = lambda done: None) -> Rewrapped:
    """Wrap every key that is not under the current master key; `tell` hears how many were done after each batch."""
    found = Rewrapped()
    for sealed in (_sealed_files(), _sealed_uploads()):
        after = uuid.UUID(int=0)
        old = sealed.exclude(seal_key_id=master_keys.current_key_id()).order_by("pk")
        while batch := list(old.filter(pk__gt=after)[:BATCH]):
            for row in batch:
                _rewrap_one(row, found, is_dry_run=is_dry_run)
            after = batch[-1].pk
            tell(found.done)
    found.left = sum(found.refused.values()) + (found.done if is_dry_run else 0)
    if found.done and not is_dry_run:
        audit.record(
            action="keys.rewrapped", target_kind="master_key", target_id=None,
            key_id=master_keys.current_key_id(), keys=found.done, refused=found.left,
        )  # fmt: skip
    logger.info("keys_rewrapped", done=found.done, left=found.left, is_dry_run=is_dry_run)
    return found


def keys_in_use() -> dict[str, int]:
    """How many files, and uploads under way, hang on each master key, by its id."""
    hang: Counter[str] = Counter()
    for sealed in (_sealed_files(), _sealed_uploads()):
        for row in sealed.values("seal_key_id").annotate(rows=Count("pk")).order_by("seal_key_id"):
            hang[row["seal_key_id"]] += row["rows"]
    return dict(sorted(hang.items()))


def missing_keys() -> dict[str, int]:
    """Those of them that this process was not given: what hangs on them cannot be read."""
    known = master_keys.known_key_ids()
    return {key_id: rows for key_id, rows in keys_in_use().items() if key_id not in known}


def _sealed_files() -> QuerySet[Any]:
    return StoredFile.objects.exclude(seal_key_id="")


def _sealed_uploads() -> QuerySet[Any]:
    """Those whose pieces are still to be opened."""
    return Upload.objects.filter(state__in=[UploadState.OPEN, UploadState.FINISHING]).exclude(seal_key_id="")


def _rewrap_one(row: StoredFile | Upload, found: Rewrapped, *, is_dry_run: bool) -> None:
    try:
        key, purpose = _key_of(row)
    except PermanentError as error:
        logger.error("key_not_rewrapped", row=str(row.pk), code=error.code)  # noqa: TRY400  the code says it all
        found.refused[error.code] += 1
        if error.code == "encryption_key_unknown":
            found.unknown_keys.add(row.seal_key_id)
        return
    if key is None:
        return
    found.done += 1
    if is_dry_run:
        return
    fresh = master_keys.wrap(purpose=purpose, key=key, context=row.pk.bytes)
    # Only over what was read: a file that was sealed anew in between keeps its new key.
    rows: Manager[Any] = type(row)._default_manager  # noqa: SLF001  documented by Django
    as_read = rows.filter(pk=row.pk, sealed_key=row.sealed_key)
    as_read.update(sealed_key=fresh.wrapped, seal_key_id=fresh.key_id)


def _key_of(row: StoredFile | Upload) -> tuple[bytes | None, str]:
    """The key itself, and what it is wrapped for."""
    if isinstance(row, StoredFile):
        file_seal = seals.seal_of(row)
        return (None if file_seal is None else file_seal.key), seals.PURPOSE
    upload_seal = pieces.seal_of(row)
    return (None if upload_seal is None else upload_seal.key), pieces.PURPOSE
