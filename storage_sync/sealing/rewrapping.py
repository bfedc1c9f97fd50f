"""Changing the master key: the small keys of files are wrapped again, in batches; not one byte of a file is touched.

What is to be done is told by the rows alone, so a run that was killed is simply repeated, and two at once do no harm.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from django.db.models import Count

from chatvista.foundation import audit, master_keys
from chatvista.foundation.problems import PermanentError
from storage_sync.models import StoredFile
from storage_sync.sealing.seals import PURPOSE, seal_of

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
    found, after = Rewrapped(), uuid.UUID(int=0)
    old = StoredFile.objects.exclude(seal_key_id__in=["", master_keys.current_key_id()]).order_by("pk")
    while batch := list(old.filter(pk__gt=after)[:BATCH]):
        for file in batch:
            _rewrap_one(file, found, is_dry_run=is_dry_run)
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
    """How many files hang on each master key, by its id."""
    sealed = StoredFile.objects.exclude(seal_key_id="").values("seal_key_id")
    return {row["seal_key_id"]: row["files"] for row in sealed.annotate(files=Count("pk")).order_by("seal_key_id")}


def missing_keys() -> dict[str, int]:
    """Those of them that this process was not given: the files that hang on them cannot be read."""
    known = master_keys.known_key_ids()
    return {key_id: files for key_id, files in keys_in_use().items() if key_id not in known}


def _rewrap_one(file: StoredFile, found: Rewrapped, *, is_dry_run: bool) -> None:
    try:
        seal = seal_of(file)
    except PermanentError as error:
        logger.error("key_not_rewrapped", file=str(file.pk), code=error.code)  # noqa: TRY400  the code says it all
        found.refused[error.code] += 1
        if error.code == "encryption_key_unknown":
            found.unknown_keys.add(file.seal_key_id)
        return
    if seal is None:
        return
    found.done += 1
    if is_dry_run:
        return
    fresh = master_keys.wrap(purpose=PURPOSE, key=seal.key, context=file.pk.bytes)
    # Only over what was read: a file that was sealed anew in between keeps its new key.
    as_read = StoredFile.objects.filter(pk=file.pk, sealed_key=file.sealed_key)
    as_read.update(sealed_key=fresh.wrapped, seal_key_id=fresh.key_id)
