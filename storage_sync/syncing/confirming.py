"""Looking once more at what was put, as the Space keeps it, before it counts; and taking back what nobody wants now."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.conf import settings

from chatvista.foundation.problems import WorkError
from storage_sync import keys
from storage_sync.models import StoredFile
from storage_sync.sealing import remnants
from storage_sync.sides.bulk import BulkSide
from storage_sync.sides.local import local
from storage_sync.syncing import leasing, looking, putting
from storage_sync.syncing.outcomes import Outcome, Verdict
from storage_sync.vocabulary import FileState, SideName

logger = structlog.get_logger(__name__)


def confirm(outcomes: Sequence[Outcome], *, side: BulkSide) -> list[Outcome]:
    """The same, but what was put is made, or failed: by a listing where there are many, one by one where few."""
    puts = [outcome.copy.file.key for outcome in outcomes if outcome.verdict == Verdict.PUT]
    sight = looking.look(side=side, keys=puts)
    confirmed: list[Outcome] = []
    away: WorkError | None = None
    for outcome in outcomes:
        if outcome.verdict != Verdict.PUT:
            confirmed.append(outcome)
            continue
        try:
            # A Space that hangs is waited for once, not for every object; they are found at the next attempt.
            confirmed.append(_one(outcome, sight, side) if away is None else _unknown(outcome, away))
        except WorkError as error:
            away = error
            confirmed.append(_unknown(outcome, error))
    return confirmed


def take_back(outcome: Outcome, *, side: BulkSide | None) -> None:
    """The file was moved, sealed or purged meanwhile: what we put where it is not wanted now goes again."""
    file, is_here = outcome.copy.file, outcome.copy.side == SideName.LOCAL
    if not outcome.moved_bytes or _is_wanted(file, is_here=is_here):
        return
    try:
        if is_here:
            local().delete(key=file.key)
        elif side is not None:
            side.delete(key=file.key)
    except (WorkError, OSError) as error:
        logger.warning("leftover_of_a_moved_file", key=file.key, error=str(error))


def _one(outcome: Outcome, sight: looking.Sight, side: BulkSide) -> Outcome:
    copy = outcome.copy
    kept = sight.found.get(copy.file.key)
    # A listing may be cut short or stale: an object it does not show, or shows otherwise, is asked for by its key.
    if kept is None or not putting.is_right(kept, copy=copy, side=side):
        kept = side.head(key=copy.file.key)
    if kept is not None and putting.is_right(kept, copy=copy, side=side):
        return Outcome(copy, Verdict.MADE, moved_bytes=outcome.moved_bytes)
    logger.error("cloud_copy_damaged", key=copy.file.key, after="answer")
    detail = "The Space does not keep what it said it had got."
    return Outcome(copy, Verdict.FAILED, code="cloud_copy_damaged", detail=detail)


def _unknown(outcome: Outcome, error: WorkError) -> Outcome:
    return Outcome(outcome.copy, Verdict.FAILED, code=error.code, detail=error.detail)


def _is_wanted(file: StoredFile, *, is_here: bool) -> bool:
    """Whether the bytes we made at a key may stay there: of a file that was sealed they are plaintext.

    What is moved has its own sweep in the Space. Of a lost file they may be all there is.
    """
    now = StoredFile.objects.filter(pk=file.pk).first()
    if now is None:
        return False
    if not {now.key, now.other_key} & {file.key, keys.other_name(file.key)}:
        # Should we not come to remove it, or more of it arrive yet, somebody else removes it.
        remnants.leave(keys=[file.key], nodes=[settings.STORAGE_NODE])
        return False
    if now.state not in leasing.FINDABLE:
        return False
    return now.key == file.key or now.state == FileState.LOST or not is_here
