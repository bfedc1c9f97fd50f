"""What is done for uploads that nobody works on: finishing them, ending those whose time has passed, tidying up."""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable

import structlog
from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import Problem, WorkError
from storage_sync.models import Upload, UploadState
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.contract import MissingObjectError
from storage_sync.sides.local import local
from storage_sync.uploading import appending, ending, finishing, holding
from storage_sync.uploading.pieces import FOLDER

logger = structlog.get_logger(__name__)

AT_ONCE = 100
LONGEST_SECONDS = 45.0
# What could not be finished for so long after its time is tried once an hour. Its bytes have all come: only its owner
# ends it, unless the Space says that they are not there.
PATIENCE_SECONDS, SELDOM_SECONDS = 86_400, 3600
# Scratch of an upload that is over may still be read, or be on its way.
STRAY_AGE = dt.timedelta(hours=1)
# One round looks at so many pages of the pieces; the next one, on whatever node, goes on behind them.
MOST_PAGES = 10
STOPPED_AT, STOPPED_SECONDS = "upload-pieces-looked-at", 3600
_UPLOAD_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def sweep() -> Counter[str]:
    """One round, for less than a minute; how many uploads met each end."""
    verdicts: Counter[str] = Counter()
    until = time.monotonic() + LONGEST_SECONDS
    holding.complete(Upload.objects.all())
    free = Upload.objects.filter(holding.is_free())
    complete, overdue = free.filter(state=UploadState.FINISHING), Q(expires_at__lt=in_seconds(-PATIENCE_SECONDS))
    _each(complete.exclude(overdue), _finish, verdicts, until)
    _each(complete.filter(overdue, updated_at__lt=in_seconds(-SELDOM_SECONDS)), _finish_at_last, verdicts, until)
    _each(free.filter(state=UploadState.OPEN, expires_at__lt=Now()), _expire, verdicts, until)
    _each(Upload.objects.filter(ending.has_remains()), _tidy, verdicts, until)
    verdicts["strays"] = _remove_strays(until)
    if verdicts.total():
        logger.info("uploads_swept", **verdicts)
    return verdicts


def _each(rows: QuerySet[Upload], do: Callable[[Upload], str], verdicts: Counter[str], until: float) -> None:
    for upload in list(rows.order_by("updated_at")[:AT_ONCE]):
        if time.monotonic() > until:
            return
        try:
            verdicts[do(upload)] += 1
        except (Problem, WorkError, LeaseLostError) as error:
            logger.info("upload_left_for_later", upload=str(upload.pk), error=str(error))
            verdicts["later"] += 1
        except Exception:
            # One that cannot be settled must not keep the others waiting.
            logger.exception("upload_cannot_be_swept", upload=str(upload.pk))
            verdicts["failed"] += 1


def _finish(upload: Upload) -> str:
    try:
        finishing.resume(upload, is_patient=True)
    except Problem as problem:
        # Such as no room on the disk: nothing is the matter with the upload.
        if problem.status == 423 or problem.status >= 500:
            raise
        return "refused"
    return "finished"


def _finish_at_last(upload: Upload) -> str:
    try:
        return _finish(upload)
    except Problem as problem:
        if isinstance(problem.__cause__, MissingObjectError):
            return _give_up(upload)
        logger.exception("upload_cannot_be_finished", upload=str(upload.pk), size=upload.size)
        raise


def _give_up(upload: Upload) -> str:
    hold = holding.hold(upload_id=upload.pk, state=UploadState.FINISHING)
    finishing.fail(hold, Problem("upload_gone", "Bytes of it are lost; begin it anew.", status=410))
    return "given_up"


def _expire(upload: Upload) -> str:
    return "expired" if ending.expire(upload) else "later"


def _tidy(upload: Upload) -> str:
    return "tidied" if ending.clean_up(upload) else "later"


def _remove_strays(until: float) -> int:
    """Tails and files of uploads that are over: a request that was given up may have left one behind."""
    removed, oldest = 0, timezone.now() - STRAY_AGE
    try:
        side = cloud()
        if side is not None:
            removed += _remove_pieces(side, oldest, until)
        for path in (local().root / "temp" / appending.FOLDER).glob("*"):
            if path.stat().st_mtime < oldest.timestamp() and not _under_way({path.name}):
                path.unlink(missing_ok=True)
                removed += 1
    except (WorkError, OSError) as error:
        logger.warning("stray_uploads_stay_for_now", error=str(error))
    return removed


def _remove_pieces(side: CloudSide, oldest: dt.datetime, until: float) -> int:
    """Pages from where the last round of any node ended: a long list must not cost everybody a minute each minute."""
    removed = 0
    after: str | None = cache.get(STOPPED_AT) or ""
    for _ in range(MOST_PAGES):
        page = side.page(prefix=FOLDER, after=after)
        old = [found.key for found in page.found if found.modified_at < oldest]
        under_way = _under_way({_owner_of(key) for key in old})
        for key in old:
            if _owner_of(key) not in under_way:
                side.delete(key=key)
                removed += 1
        after = page.after
        if after is None or time.monotonic() > until:
            break
    cache.set(STOPPED_AT, after or "", timeout=STOPPED_SECONDS)
    return removed


def _owner_of(key: str) -> str:
    """The upload that a piece is of, as its key says."""
    return key.split("/")[1]


def _under_way(names: set[str]) -> set[str]:
    """Which of them are uploads that may still need their pieces."""
    ids = [uuid.UUID(name) for name in names if _UPLOAD_ID.fullmatch(name)]
    rows = Upload.objects.filter(pk__in=ids, state__in=[UploadState.OPEN, UploadState.FINISHING])
    return {str(pk) for pk in rows.values_list("pk", flat=True)}
