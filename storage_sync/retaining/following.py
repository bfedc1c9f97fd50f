"""Following a move on this node's own disk: the key of an archived or restored file was changed by another node.

Nothing is transferred: the bytes lie here under the other name of their file and get the new one. The old name goes
when the new one has the bytes, and no link to the old one can be out any more.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import WorkError
from storage_sync import keys
from storage_sync.arriving import settling
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.contract import MissingObjectError, OccupiedKeyError
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState

logger = structlog.get_logger(__name__)

AT_ONCE = 500
LONGEST_SECONDS = 20.0
TRY_AGAIN_SECONDS = 300


def follow_moves() -> Counter[str]:
    """Settle the copies of this node that lie, or may lie, under the other name of their file; a count per verdict.

    To be called on every node, and by one process of it at a time or by several: the file's lease decides.
    """
    verdicts: Counter[str] = Counter()
    until = time.monotonic() + LONGEST_SECONDS
    due = Copy.objects.due_on(node=settings.STORAGE_NODE).select_related("file").order_by("next_attempt_at")
    settled = [FileState.STORED, FileState.ARCHIVED]
    for copy in due.filter(file__state__in=settled)[:AT_ONCE]:
        if time.monotonic() > until:
            break
        # What is not present is due to be made: here it is only given what already lies on this disk.
        if copy.state != CopyState.PRESENT and local().head(key=keys.other_name(copy.file.key)) is None:
            continue
        file = _claim(copy.file_id)
        if file is None:
            continue
        try:
            verdicts[_follow(copy, file)] += 1
        except (WorkError, OSError) as error:
            logger.warning("move_not_followed", key=file.key, error=str(error))
            _write_down(copy, next_attempt_at=in_seconds(TRY_AGAIN_SECONDS))
            verdicts["postponed"] += 1
        finally:
            StoredFile.objects.filter(pk=file.pk, lease_token=file.lease_token).update(
                lease_token=None, lease_until=None
            )  # fmt: skip
    return verdicts


def bring_here(file: StoredFile) -> bool:
    """Give bytes that lie on this disk under the file's other name its key; whether there is anything at it now.

    Whether they are the right bytes is for the caller to look at. Raises TransientError.
    """
    here = local()
    if here.head(key=file.key) is not None:
        return True
    try:
        here.copy(key=keys.other_name(file.key), to=file.key)
    except MissingObjectError:
        return False
    except OccupiedKeyError:
        logger.info("already_followed", key=file.key)
    return True


def _claim(file_id: uuid.UUID) -> StoredFile | None:
    """Hold the file, so that nobody moves it meanwhile; None when somebody does, or it is gone."""
    token = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    ours = StoredFile.objects.filter(free, pk=file_id, state__in=[FileState.STORED, FileState.ARCHIVED])
    if not ours.update(lease_token=token, lease_until=in_seconds(settling.LEASE_SECONDS)):
        return None
    return StoredFile.objects.get(pk=file_id)


def _follow(copy: Copy, file: StoredFile) -> str:
    is_at_home = file.key.startswith(keys.ARCHIVE) == (file.state == FileState.ARCHIVED)
    if not is_at_home:
        _write_down(copy, next_attempt_at=in_seconds(TRY_AGAIN_SECONDS))
        return "about_to_move"
    if not bring_here(file):
        # A durable disk is to have it again; a cache has it when somebody reads it.
        _write_down(copy, state=CopyState.MISSING, next_attempt_at=Now() if settings.DISK_DURABLE else None)
        return "missing"
    if copy.state != CopyState.PRESENT:
        return "brought"
    if file.other_key and not StoredFile.objects.filter(pk=file.pk, other_key_until__lte=Now()).exists():
        _write_down(copy, next_attempt_at=file.other_key_until)
        return "followed"
    local().delete(key=keys.other_name(file.key))
    _write_down(copy, next_attempt_at=None)
    return "settled"


def _write_down(copy: Copy, **found: object) -> None:
    """Unless the file moved again meanwhile, which made the copy due anew."""
    as_seen = Copy.objects.filter(pk=copy.pk, state=copy.state, next_attempt_at=copy.next_attempt_at)
    as_seen.update(**found, updated_at=Now())
