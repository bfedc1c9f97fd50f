"""Removing archived files for good: decided and written down first, then emptied place by place, then proven.

`begin` is the step that cannot be taken back, so the deletion log and the owners are told in its transaction, before
the first byte goes. Then every place that had a copy is emptied under both names the file can have, asked whether
anything is left, and looked at again later, when nothing that was under way can arrive any more. Only when all of them
are empty the file is `purged`. Whatever is killed in between is taken up where it was: deleting twice does no harm, and
nothing leads out of `purging` but `purged`.
"""

from __future__ import annotations

import datetime as dt
import heapq
import time
import uuid
from collections import Counter
from itertools import chain

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from chatvista.foundation import audit
from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem, TransientError, WorkError
from storage_sync import keys
from storage_sync.arriving import settling
from storage_sync.damage.forgetting import PutAside
from storage_sync.models import BlockDigests, Copy, Deletion, Node, StoredFile
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.contract import Side
from storage_sync.sides.local import local
from storage_sync.signals import file_purged
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

AT_ONCE = 500
LONGEST_SECONDS = 45.0
TRY_AGAIN_SECONDS = 300
LOOKS = 2


def begin(
    *, file_id: uuid.UUID, reason: str, policy_id: uuid.UUID | None = None, ordered_by: uuid.UUID | None = None
) -> bool:
    """Decide that an archived file goes for good; False when it is not archived, or held. Nothing takes it back."""
    with transaction.atomic():
        # A mover loses its lease with this: it cannot change the row any more, and what it leaves is emptied below.
        free = StoredFile.objects.filter(pk=file_id, state=FileState.ARCHIVED, has_legal_hold=False)
        if not free.update(state=FileState.PURGING, lease_token=None, lease_until=None, updated_at=Now()):
            return False
        file = StoredFile.objects.get(pk=file_id)
        if cloud() is not None:
            Copy.objects.bulk_create([Copy(file=file, side=SideName.CLOUD)], ignore_conflicts=True)
        Copy.objects.filter(file=file, side__in=[SideName.LOCAL, SideName.CLOUD]).update(
            next_attempt_at=Now(), attempts=0, error="", lease_token=None, lease_until=None, updated_at=Now()
        )
        _write_down(file, reason=reason, policy_id=policy_id, ordered_by=ordered_by)
        told = {"reason": reason} | ({} if policy_id is None else {"policy": str(policy_id)})
        audit.record(
            action="file.purging", target_kind="file", target_id=file.pk, actor=ordered_by, tenant_id=file.tenant_id,
            **told,
        )  # fmt: skip
        file_purged.send(sender=StoredFile, file=file)
    logger.info("purge_begun", file=str(file_id), reason=reason)
    return True


def order(*, file_id: uuid.UUID, reason: str, ordered_by: uuid.UUID | None = None) -> None:
    """An operator's word on one archived file. Problem 404, 409 `not_purgeable` or 409 `legal_hold`."""
    if begin(file_id=file_id, reason=reason, ordered_by=ordered_by):
        return
    file = StoredFile.objects.filter(pk=file_id).first()
    if file is None:
        raise Problem("not_found", "There is no such file.", status=404)
    if file.state == FileState.ARCHIVED and file.has_legal_hold:
        raise Problem("legal_hold", "The file is under legal hold; lift it first.", status=409)
    raise Problem("not_purgeable", f"Only an archived file can be purged; this one is {file.state}.", status=409)


def carry_on() -> Counter[str]:
    """Empty what is due in the Space and on this node's disk, and end the purges that are proven; a count per verdict.

    Every node calls it for its own disk. A node that is dead is not waited for: it empties its disk when it is back.
    """
    verdicts: Counter[str] = Counter()
    until = time.monotonic() + LONGEST_SECONDS
    _look_again_at_what_came_late()
    uploads, aside = _OpenUploads(), _Aside()
    for copy in _due():
        if time.monotonic() > until:
            break
        try:
            verdicts[_empty(copy, uploads, aside)] += 1
        except (WorkError, OSError) as error:
            logger.warning("purge_postponed", file=str(copy.file_id), side=copy.side, error=str(error))
            Copy.objects.filter(pk=copy.pk).update(
                next_attempt_at=in_seconds(TRY_AGAIN_SECONDS), error=str(error)[:500]
            )
            verdicts["postponed"] += 1
    for file in _proven_gone()[:AT_ONCE]:
        verdicts["purged"] += _complete(file)
    return +verdicts


def _write_down(
    file: StoredFile, *, reason: str, policy_id: uuid.UUID | None, ordered_by: uuid.UUID | None
) -> None:  # fmt: skip
    if file.stored_at is None or file.archived_at is None:
        raise ValueError("an archived file says since when")  # two constraints see to it
    made = Deletion(
        file_id=file.pk,
        tenant_id=file.tenant_id,
        category=file.category,
        size=file.size,
        sha256=file.sha256 or "",
        stored_at=file.stored_at,
        archived_at=file.archived_at,
        reason=reason[:500],
        policy_id=policy_id,
        ordered_by=ordered_by,
    )
    made.begun_at = Now()  # by the database's clock
    made.save(force_insert=True)


def _look_again_at_what_came_late() -> None:
    """A reader that knew the row from before may have fetched the bytes once more, and said so."""
    came_late = Copy.objects.filter(file__state=FileState.PURGING, next_attempt_at__isnull=True).present()
    came_late.update(next_attempt_at=Now(), attempts=0)


def _due() -> list[Copy]:
    """Copies to empty in the Space and on this node, the longest due first.

    Asked in three parts, each of which has an index: the files being purged are few, and so is what is due of those
    that are purged already (a node came back, a reader was late). All of the purged ones are ever more.
    """
    due = Copy.objects.filter(next_attempt_at__lte=Now()).select_related("file").order_by("next_attempt_at")
    here = Q(side=SideName.CLOUD) | Q(side=SideName.LOCAL, node=settings.STORAGE_NODE)
    parts = [
        due.filter(here, file__state=FileState.PURGING),
        due.due_on(node=settings.STORAGE_NODE).filter(file__state=FileState.PURGED),
        # Of a purged file no copy in the Space is present: it was proven that there is none.
        due.filter(side=SideName.CLOUD, file__state=FileState.PURGED).exclude(state=CopyState.PRESENT),
    ]
    return heapq.nsmallest(AT_ONCE, chain(*(part[:AT_ONCE] for part in parts)), key=_since)


def _since(copy: Copy) -> dt.datetime:
    return copy.next_attempt_at or copy.created_at


class _OpenUploads:
    """Uploads in parts that nobody completed: parts of one to a purged key could still become an object.

    They are listed once in a run, when the first file needs it.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, list[str]] | None = None

    def abort(self, side: CloudSide, key: str) -> None:
        """Forget every part that was sent to this key."""
        if self._by_key is None:
            self._by_key = {}
            for upload in side.open_multiparts(before=timezone.now() + dt.timedelta(days=1)):
                self._by_key.setdefault(upload.key, []).append(upload.upload_id)
        for upload_id in self._by_key.get(key, []):
            side.abort_multipart(key=key, upload_id=upload_id)


class _Aside:
    """What was put aside on either side, listed once in a run."""

    def __init__(self) -> None:
        self._on: dict[str, PutAside] = {}

    def forget(self, side: Side, key: str) -> None:
        """Bytes of a purged key that were once taken for damaged are the file's bytes, too."""
        self._on.setdefault(type(side).__name__, PutAside(side)).forget(key)


def _empty(copy: Copy, uploads: _OpenUploads, aside: _Aside) -> str:
    side: Side | None = cloud() if copy.side == SideName.CLOUD else local()
    if side is None:
        raise TransientError("cloud_unavailable", "No Space is configured; the file may still lie in the one before.")
    names = {copy.file.key, keys.other_name(copy.file.key), copy.file.other_key} - {""}
    for name in sorted(names):
        if isinstance(side, CloudSide):
            uploads.abort(side, name)
        side.delete(key=name)
        aside.forget(side, name)
    if any(side.head(key=name) is not None for name in names):
        raise TransientError("purge_incomplete", "The bytes are still there after they were deleted.")
    looks = copy.attempts + 1
    as_seen = Copy.objects.filter(pk=copy.pk, attempts=copy.attempts, next_attempt_at=copy.next_attempt_at)
    as_seen.update(
        state=CopyState.MISSING,
        verified_at=None,
        attempts=looks,
        error="",
        next_attempt_at=None if looks >= LOOKS else in_seconds(settling.LATE_SECONDS),
        updated_at=Now(),
    )
    return "emptied" if looks < LOOKS else "proven"


def _proven_gone() -> list[StoredFile]:
    """Purging files of which no place that is waited for may hold anything."""
    return list(StoredFile.objects.filter(~_open_places(), state=FileState.PURGING).order_by("pk"))


def _open_places() -> Exists:
    """Whether anything of a file may still lie in a place that is waited for."""
    living = Node.objects.filter(died_at__isnull=True).values("name")
    waited_for = Q(side=SideName.CLOUD) | Q(side=SideName.LOCAL, node__in=living)
    ours = Q(side=SideName.LOCAL, node=settings.STORAGE_NODE)
    places = Copy.objects.filter(waited_for | ours, file=OuterRef("pk"))
    return Exists(places.exclude(state=CopyState.MISSING, next_attempt_at__isnull=True))


def _complete(file: StoredFile) -> bool:
    with transaction.atomic():
        still = StoredFile.objects.filter(~_open_places(), pk=file.pk, state=FileState.PURGING)
        # Without its key a sealed file is noise wherever a forgotten disk or an old backup may still have it.
        if not still.update(
            state=FileState.PURGED, purged_at=Now(), other_key="", other_key_until=None,
            sealed_key=None, seal_key_id="", sealed_size=None, sealed_sha256=None, updated_at=Now(),
        ):  # fmt: skip
            return False
        BlockDigests.objects.filter(file=file).delete()
        Deletion.objects.filter(file_id=file.pk, completed_at__isnull=True).update(completed_at=Now(), updated_at=Now())
        audit.record(action="file.purged", target_kind="file", target_id=file.pk, tenant_id=file.tenant_id)
    logger.info("file_purged", file=str(file.pk))
    return True
