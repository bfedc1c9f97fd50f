"""One run of the engine: claims what is due, lets threads transfer it, and writes down what became of it in batches."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import structlog
from django.conf import settings

from chatvista.foundation.heartbeats import beating
from chatvista.foundation.problems import PermanentError, TransientError, WorkError
from storage_sync.models import Copy
from storage_sync.sides.bulk import BusyCloudError, bulk
from storage_sync.sides.contract import Found
from storage_sync.syncing import bringing, confirming, leasing, looking, putting
from storage_sync.syncing.crew import Crew
from storage_sync.syncing.leasing import BEAT_SECONDS, Held
from storage_sync.syncing.outcomes import Outcome, Verdict
from storage_sync.syncing.pacing import Budget, Pace
from storage_sync.vocabulary import SideName

logger = structlog.get_logger(__name__)

MIB = 1024 * 1024
BATCH, BATCH_BYTES = 1_000, 4 * 1024 * MIB
MEMORY_BYTES = 128 * MIB
CLAIM_SECONDS = 1.0
# Every settling asks the Space for a listing, and some servers walk through all they have for one.
SETTLE_SECONDS = 5.0
# Each needs a connection to the database now and then, of which a process has a dozen.
FETCHES_AT_ONCE = 6
AWAY = "cloud_unavailable"
SCAN_SECONDS = 45.0
OUT_OF_TIME, CLOUD_AWAY = "time", "cloud"


@dataclass(slots=True)
class Progress:
    """What a run has done so far: copies by verdict, bytes that went over the wire, and what failed by its code."""

    made: int = 0
    found: int = 0
    failed: int = 0
    moot: int = 0
    moved_bytes: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    """Why it ended with something left to do: `time`, or `cloud` when the Space only failed. Empty otherwise."""


@dataclass(frozen=True, slots=True)
class _Job:
    copy: Copy
    is_looked_at: bool
    found: Found | None


def run(
    *,
    seconds: float | None = None,
    categories: Collection[str] = (),
    tell: Callable[[Progress], None] | None = None,
) -> Progress:
    """Make due copies until none is left that is due now, or no new one after so many seconds.

    Any number of runs may go on at once, on any nodes. Killed at any line it leaves nothing wrong: what was transferred
    and not written down is found at its key by the next. Raises database errors.
    """
    engine = _Engine(categories=categories, tell=tell or (lambda _: None), seconds=seconds)
    with beating(engine.held.renew, every=BEAT_SECONDS, name="sync"):
        engine.work()
    progress = engine.progress
    if progress.made or progress.found or progress.failed:
        logger.info(
            "copies_synced", made=progress.made, found=progress.found, failed=progress.failed, moot=progress.moot,
            bytes=progress.moved_bytes, errors=dict(progress.errors), stopped=progress.stopped,
        )  # fmt: skip
    return progress


def look_for_due() -> Progress:
    """What every node does by itself once a minute, in case that nobody woke it: `run`, bounded in time."""
    return run(seconds=SCAN_SECONDS)


class _Engine:
    def __init__(self, *, categories: Collection[str], tell: Callable[[Progress], None], seconds: float | None) -> None:
        self.progress = Progress()
        self.held = Held()
        self._categories = categories
        self._tell = tell
        self._until = time.monotonic() + seconds if seconds is not None else float("inf")
        self._side = bulk()
        self._pace = Pace(settings.SYNC_CONCURRENCY)
        self._fetching = threading.BoundedSemaphore(FETCHES_AT_ONCE)
        self._budget = Budget(MEMORY_BYTES)
        self._stop = threading.Event()
        self._crew: Crew[_Job, Outcome] = Crew(self._do, size=settings.SYNC_CONCURRENCY)
        self._waiting: list[Outcome] = []
        self._settled_at = time.monotonic()
        self._claim_at = 0.0
        self._is_brought_forward = self._is_disk_full = False

    def work(self) -> None:
        """Until nothing is due, or it is time."""
        try:
            while self._claim() or self._crew.under_way or self._waiting:
                self._waiting += self._crew.take(within=0.2)
                self._settle()
        finally:
            # Interrupted: what has begun is finished and written down, the rest goes back.
            self._stop.set()
            try:
                while self._crew.under_way:
                    self._waiting += self._crew.take(within=1.0)
                self._settle(all_of_it=True)
            finally:
                # Also when the database is away: its threads would wait for ever.
                self._crew.dismiss()

    def _claim(self) -> bool:
        """Take more when little is left to do; whether there was any."""
        is_time = time.monotonic() >= self._claim_at or not self._crew.under_way
        if self._crew.under_way > 2 * settings.SYNC_CONCURRENCY or not is_time or self._is_over():
            return False
        copies = self.held.claim(
            most=BATCH, most_bytes=BATCH_BYTES, categories=self._categories, has_cloud=self._side is not None
        )
        if not copies:
            # Others are still under way: what fails, or is made due, meanwhile is found a little later.
            self._claim_at = time.monotonic() + CLAIM_SECONDS
        to_put = [copy for copy in copies if copy.side == SideName.CLOUD]
        sight = looking.Sight()
        if self._side is not None:
            # What was tried before is asked for by itself: it may have arrived this very moment.
            sight = looking.look(side=self._side, keys=(copy.file.key for copy in to_put if not copy.attempts))
        for copy in copies:
            key = copy.file.key
            self._crew.give(_Job(copy, key in sight.asked, sight.found.get(key)))
        return bool(copies)

    def _is_over(self) -> bool:
        if self._pace.is_hopeless:
            self.progress.stopped = CLOUD_AWAY
            self._stop.set()
        elif time.monotonic() >= self._until:
            self.progress.stopped = OUT_OF_TIME
            self._stop.set()
        return self._stop.is_set()

    def _do(self, job: _Job) -> Outcome:
        """In a thread of the crew: one copy, whatever happens."""
        copy = job.copy
        if self._stop.is_set() or self._pace.is_hopeless or not self.held.keeps(copy):
            return Outcome(copy, Verdict.LEFT)
        try:
            outcome = self._put(job) if copy.side == SideName.CLOUD else self._bring(copy)
        except WorkError as error:
            return self._failed(copy, error)
        except OSError as error:
            detail = f"The local disk failed: {error.strerror or type(error).__name__}."
            return Outcome(copy, Verdict.FAILED, code="disk_failed", detail=detail, retry_after=30)
        except Exception as error:
            # One file that nobody thought of must not keep the others waiting.
            logger.exception("copy_cannot_be_made", copy=str(copy.pk))
            return Outcome(copy, Verdict.FAILED, code="internal_error", detail=type(error).__name__, retry_after=60)
        if outcome.is_there:
            self._pace.went_well()
        return outcome

    def _put(self, job: _Job) -> Outcome:
        with self._pace.turn():
            if self._side is None or self._stop.is_set() or self._pace.is_hopeless:
                return Outcome(job.copy, Verdict.LEFT)
            found = job.found if job.is_looked_at else self._side.head(key=job.copy.file.key)
            return putting.make(copy=job.copy, found=found, side=self._side, held=self.held, budget=self._budget)

    def _bring(self, copy: Copy) -> Outcome:
        with self._fetching, self._pace.turn():
            if self._stop.is_set():
                return Outcome(copy, Verdict.LEFT)
            if self._is_disk_full:
                return bringing.disk_is_full(copy)
            outcome = bringing.make(copy=copy, side=self._side)
            self._is_disk_full = outcome.code == bringing.DISK_FULL
            return outcome

    def _failed(self, copy: Copy, error: WorkError) -> Outcome:
        is_of_cloud = isinstance(error, PermanentError) or error.code.startswith("cloud_")
        if is_of_cloud:
            self._pace.went_badly(is_busy=isinstance(error, BusyCloudError))
        wait = (error.retry_after or 0.0) if isinstance(error, TransientError) else leasing.REFUSED_PAUSE_SECONDS
        return Outcome(copy, Verdict.FAILED, code=error.code, detail=error.detail, retry_after=wait)

    def _settle(self, *, all_of_it: bool = False) -> None:
        """Write down what is done: now and then, so that one statement serves many rows."""
        is_time = time.monotonic() - self._settled_at > SETTLE_SECONDS or not self._crew.under_way
        if not self._waiting or not (all_of_it or is_time or len(self._waiting) >= BATCH):
            return
        outcomes, self._waiting = self._waiting, []
        if self._side is not None:
            outcomes = confirming.confirm(outcomes, side=self._side)
        moot = self.held.settle(outcomes)
        self._settled_at = time.monotonic()
        self._count(outcomes, moot)
        for outcome in moot:
            confirming.take_back(outcome, side=self._side)
        self._tell(self.progress)

    def _count(self, outcomes: list[Outcome], moot: list[Outcome]) -> None:
        not_counted = {outcome.copy.pk for outcome in moot}
        for outcome in outcomes:
            if outcome.copy.pk in not_counted:
                self.progress.moot += 1
            elif outcome.is_there:
                self.progress.found += outcome.verdict == Verdict.FOUND
                self.progress.made += outcome.verdict != Verdict.FOUND
                self.progress.moved_bytes += outcome.moved_bytes
            elif outcome.verdict == Verdict.FAILED:
                self.progress.failed += 1
                self.progress.errors[outcome.code] += 1
        if self.progress.made + self.progress.found and not self._is_brought_forward:
            # The Space answers: what waits because it did not, once did, need not wait.
            self._is_brought_forward = True
            leasing.bring_forward(code=AWAY)
