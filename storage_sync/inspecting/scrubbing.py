"""Reading bytes again, the longest unread first, so that all of them are read within SCRUB_DAYS.

Where a scrub stands is in the copies themselves (`verified_at`), so that one that is killed or runs out of time is
taken up by the next. What is read wrong twice is put aside and made again, if another copy is proven right.
"""

from __future__ import annotations

import errno
import time
import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db.models import BigIntegerField, Q, Sum
from django.db.models.functions import Coalesce, Now

from chatvista.foundation.heartbeats import Pulse
from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import WorkError
from storage_sync.disk import blocks
from storage_sync.inspecting import mending, proving, recording
from storage_sync.inspecting.places import Place, reachable
from storage_sync.inspecting.surveying import Progress, unheard
from storage_sync.inspecting.verdicts import READABLE, Verdict
from storage_sync.models import Copy, Inspection, InspectionKind, StoredFile
from storage_sync.querysets import CopyQuerySet
from storage_sync.sides.contract import Found, MissingObjectError
from storage_sync.vocabulary import CopyState, SideName

logger = structlog.get_logger(__name__)

SLICES_A_DAY = 24
LONGEST_SECONDS = 900.0
# Readers and uploads come first: 32 MiB a second is a terabyte in nine hours.
BYTES_A_SECOND = 32.0 * 1024 * 1024
LEASE_SECONDS, RENEW_SECONDS = 120, 15.0
# A side that fails so often in a row is away; so many that could not be settled are for the next slice.
MOST_FAILURES, MOST_SETTLED = 3, 1_000


@dataclass(frozen=True, slots=True)
class Slice:
    """How much to read: a share of the bytes of each side (None for all of them), within so many seconds."""

    sides: Collection[SideName] | None = None
    categories: Collection[str] | None = None
    share: float | None = None
    seconds: float = LONGEST_SECONDS
    rate: float | None = BYTES_A_SECOND


def hourly(sides: Collection[SideName] | None = None) -> Slice:
    """The slice that, read every hour, reads everything within SCRUB_DAYS."""
    return Slice(sides=sides, share=1 / (settings.SCRUB_DAYS * SLICES_A_DAY))


def scrub(slice_: Slice, *, progress: Progress = unheard) -> Inspection:
    """Read a slice. Never raises for what is wrong with a side or a file: the inspection counts it."""
    inspection = recording.begin(kind=InspectionKind.SCRUB, is_partial=slice_.categories is not None)
    until = time.monotonic() + slice_.seconds
    try:
        for place in reachable(slice_.sides):
            counts = _scrub_place(place, slice_, inspection, until, progress)
            inspection.verdicts[place.name.value] = recording.written(counts)
            recording.wake_engine_after(counts)
    except BaseException as error:
        recording.finish(inspection, aborted=f"interrupted: {type(error).__name__}")
        raise
    recording.finish(inspection)
    logger.info("scrubbed", files=inspection.files, bytes=inspection.bytes_read, verdicts=inspection.verdicts)
    return inspection


def readable_copies(*, side: SideName, node: str) -> CopyQuerySet:
    """Copies of one place whose bytes can be compared with a sha256, the longest unread first."""
    known = Q(file__sealed_size__isnull=True, file__sha256__isnull=False) | Q(file__sealed_sha256__isnull=False)
    here = Copy.objects.present().filter(side=side, node=node, file__state__in=READABLE)
    return here.filter(known).order_by("verified_at")


def _scrub_place(place: Place, slice_: Slice, inspection: Inspection, until: float, progress: Progress) -> Counter[str]:
    counts: Counter[str] = Counter()
    here = readable_copies(side=place.name, node=place.node)
    if slice_.categories is not None:
        here = here.filter(file__category__in=slice_.categories)
    budget = _budget(here, slice_.share)
    # What this slice has verified is not read again by it.
    unread = here.filter(verified_at__lt=inspection.updated_at).filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    )
    overdue = Q(verified_at__lt=in_seconds(-settings.SCRUB_DAYS * 86_400))
    read, failures = 0, 0
    # What stays as it was must not be the longest unread, and thus the next, for ever.
    settled: list[uuid.UUID] = []
    while time.monotonic() < until and failures < MOST_FAILURES and len(settled) < MOST_SETTLED:
        # Beyond its share a slice only reads what should have been read already.
        candidates = unread if read < budget else unread.filter(overdue)
        copy = candidates.exclude(pk__in=settled).select_related("file").first()
        if copy is None:
            break
        verdict, size = _scrub_copy(place, copy, slice_.rate)
        counts[verdict] += 1
        read += size
        failures = failures + 1 if verdict == Verdict.FAILED else 0
        if verdict != Verdict.AGREE:
            settled.append(copy.pk)
        inspection.files += 1
        inspection.bytes_read += size
        progress(inspection.files)
    return counts


def _budget(here: CopyQuerySet, share: float | None) -> float:
    """Bytes to read; one file at least."""
    if share is None:
        return float("inf")
    size = Coalesce("file__sealed_size", "file__size", output_field=BigIntegerField())
    return float(max(1.0, share * here.order_by().aggregate(total=Sum(size, default=0))["total"]))


def _scrub_copy(place: Place, copy: Copy, rate: float | None) -> tuple[Verdict, int]:
    """Read one copy under a lease on it; the verdict and the bytes read."""
    lease = _Lease(copy)
    if not lease.take():
        return Verdict.BUSY, 0
    size = 0
    try:
        verdict, size = _read_and_judge(place, copy, lease, rate)
    except LeaseLostError:
        verdict = Verdict.CHANGED
    except (WorkError, OSError) as error:
        logger.warning("scrub_postponed", place=str(place), key=copy.file.key, error=str(error))
        verdict = Verdict.FAILED
    finally:
        lease.give_back()
    return verdict, size


def _read_and_judge(place: Place, copy: Copy, lease: _Lease, rate: float | None) -> tuple[Verdict, int]:
    file = copy.file
    seen: Found | None = None
    try:
        seen = place.side.head(key=file.key)
        reading = _read(place, file, lease, rate)
        if not reading.is_of(file):
            # Once more, before anything is said about what lies there: the way here may have been at fault.
            logger.warning("read_wrong_once", place=str(place), key=file.key)
            reading = _read(place, file, lease, rate)
    except (MissingObjectError, NotADirectoryError):
        lease.give_back()
        return mending.settle(place=place, file_id=file.pk, is_dry_run=False), 0
    except (WorkError, OSError) as error:
        if not _is_unreadable(error):
            raise
        logger.error("copy_unreadable", place=str(place), key=file.key)  # noqa: TRY400  the disk's word is enough
        reading = proving.Reading(0, "", b"")
    if reading.is_of(file):
        return _renew(copy, lease, reading), reading.size
    lease.give_back()
    return _condemn(place, copy, seen), reading.size


def _read(place: Place, file: StoredFile, lease: _Lease, rate: float | None) -> proving.Reading:
    return proving.read(place=place, key=file.key, most=file.held_size, pulse=lease, rate=rate)


def _is_unreadable(error: Exception) -> bool:
    """Whether the disk says that it cannot read these very bytes."""
    return any(isinstance(found, OSError) and found.errno == errno.EIO for found in (error, error.__cause__))


def _renew(copy: Copy, lease: _Lease, reading: proving.Reading) -> Verdict:
    if not lease.held().filter(state=CopyState.PRESENT).update(verified_at=Now(), updated_at=Now()):
        return Verdict.CHANGED
    if blocks.are_wanted(copy.file) and not blocks.are_known(copy.file):
        blocks.keep(file=copy.file, digests=reading.digests)
    return Verdict.AGREE


def _condemn(place: Place, copy: Copy, seen: Found | None) -> Verdict:
    """What was read was wrong twice: unless the row changed meanwhile, it is the copy that is wrong."""
    now = Copy.objects.select_related("file").filter(pk=copy.pk).first()
    if now is None or now.state != CopyState.PRESENT:
        return Verdict.CHANGED
    if now.file.key != copy.file.key or now.file.state not in READABLE:
        return Verdict.CHANGED
    return mending.condemn(place=place, file=now.file, copy=now, seen=seen)


class _Lease(Pulse):
    """The lease of one copy: of several scrubs one reads it."""

    def __init__(self, copy: Copy) -> None:
        super().__init__(every=RENEW_SECONDS, name=f"copy {copy.pk}")
        self._rows = Copy.objects.filter(pk=copy.pk)
        self._token = uuid.uuid4()

    def take(self) -> bool:
        """Whether it is ours now."""
        free = self._rows.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=Now()), state=CopyState.PRESENT)
        return bool(free.update(lease_token=self._token, lease_until=in_seconds(LEASE_SECONDS)))

    def held(self) -> CopyQuerySet:
        """The row, while it is ours."""
        return self._rows.filter(lease_token=self._token)

    def renew(self) -> bool:
        """Keep it for another while; False when it is lost."""
        return bool(self.held().update(lease_until=in_seconds(LEASE_SECONDS)))

    def give_back(self) -> None:
        """Free it; once more is fine."""
        self.held().update(lease_token=None, lease_until=None)
