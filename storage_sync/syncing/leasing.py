"""Holding due copies: claimed in batches under one token, renewed together, settled only while the token holds.

Nothing here moves a byte. A copy is written down as present only while its file has the key and the life it had when
the bytes were moved; whoever changes those waits for the transaction that says so.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from storage_sync.damage import losing
from storage_sync.models import Copy, StoredFile
from storage_sync.querysets import CopyQuerySet
from storage_sync.syncing.outcomes import NO_SOURCE, Outcome, Verdict, pause
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

LEASE_SECONDS = 120
BEAT_SECONDS = 30.0
# Nothing is taken away from a key by someone who may be about to lose his lease.
MARGIN_SECONDS = 30.0
# Refused, it stays refused until somebody changes the settings.
REFUSED_PAUSE_SECONDS = 300.0
READABLE = [FileState.STORED, FileState.ARCHIVED]
# Given up while somebody was making a copy of it after all, a file is found again by that copy.
FINDABLE = [*READABLE, FileState.LOST]

Place = tuple[dt.datetime, uuid.UUID]


def within_reach(copies: CopyQuerySet) -> CopyQuerySet:
    """Copies this node can make: its own, and in the cloud those whose bytes lie here, or on no disk that is known."""
    on_disk = Copy.objects.filter(file=OuterRef("file"), side=SideName.LOCAL, state=CopyState.PRESENT)
    ours = Q(side=SideName.LOCAL, node=settings.STORAGE_NODE)
    put_from_here = Q(side=SideName.CLOUD) & (Exists(on_disk.filter(node=settings.STORAGE_NODE)) | ~Exists(on_disk))
    return copies.filter(ours | put_from_here)


def due(*, categories: Collection[str] = (), has_cloud: bool = True) -> CopyQuerySet:
    """Copies this node should make by now, whether or not somebody is making them."""
    found = Copy.objects.exclude(state=CopyState.PRESENT).filter(next_attempt_at__lte=Now(), file__state__in=READABLE)
    if categories:
        found = found.filter(file__category__in=categories)
    if not has_cloud:
        found = found.exclude(side=SideName.CLOUD)
    return within_reach(found)


class Held:
    """The copies that one run holds. Threads may ask; only the thread that runs it claims and settles."""

    def __init__(self) -> None:
        self.token = uuid.uuid4()
        self._held: set[uuid.UUID] = set()
        self._guard = threading.Lock()
        self._kept_until = 0.0

    def claim(self, *, most: int, most_bytes: int, categories: Collection[str], has_cloud: bool) -> list[Copy]:
        """Take due copies, those waiting longest first; rows that others are taking are passed over.

        Of those that became due together the oldest, so that their keys lie side by side in a listing.
        """
        self._begin_term()
        last: Place | None = None
        while candidates := _next_due(last, most=most):
            last = candidates[-1]
            copies = self._take([pk for _, pk in candidates], most_bytes, categories, has_cloud)
            if copies:
                return copies
            # All of them were of another category, or for other nodes, or taken at this moment: behind them are more.
        return []

    def renew(self) -> bool:
        """Keep everything that is still ours for another while; called by a thread of its own.

        What others have taken over is no longer kept. Always True: the run goes on with the rest, and takes more.
        """
        with self._guard:
            held = set(self._held)
        began = time.monotonic()
        with transaction.atomic():
            # Locked in the order in which they are settled.
            ours = set(self._ours(held).select_for_update().order_by("pk").values_list("pk", flat=True))
            Copy.objects.filter(pk__in=ours).update(lease_until=in_seconds(LEASE_SECONDS))
        with self._guard:
            # What has been settled since is not held any more; the rest somebody else has.
            lost = (held - ours) & self._held
            self._held -= lost
            if ours or not lost:
                self._kept_until = began + LEASE_SECONDS
        if lost:
            logger.warning("leases_lost", copies=len(lost))
        return True

    @property
    def is_safe(self) -> bool:
        """Whether our leases last for a while yet, by a clock that started before they did."""
        with self._guard:
            return time.monotonic() < self._kept_until - MARGIN_SECONDS

    def keeps(self, copy: Copy) -> bool:
        """Whether this copy is ours, as far as is known, and will be for a while yet."""
        with self._guard:
            is_held = copy.pk in self._held
        return is_held and self.is_safe

    def settle(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Write down what became of copies, all at once; those that no longer concern anybody are returned."""
        with self._guard:
            # First: what is settled meanwhile must not look to `renew` as if somebody had taken it.
            self._held.difference_update(outcome.copy.pk for outcome in outcomes)
        moot = self._write_present([outcome for outcome in outcomes if outcome.is_there])
        self._write_failed([outcome for outcome in outcomes if outcome.verdict == Verdict.FAILED])
        self.give_back([outcome.copy for outcome in outcomes if outcome.verdict == Verdict.LEFT])
        return moot

    def give_back(self, copies: Iterable[Copy]) -> None:
        """Let others have what was not begun."""
        given = [copy.pk for copy in copies]
        if given:
            with self._guard:
                self._held.difference_update(given)
            self._ours(given).update(lease_token=None, lease_until=None)

    def _take(
        self, candidates: list[uuid.UUID], most_bytes: int, categories: Collection[str], has_cloud: bool
    ) -> list[Copy]:
        with transaction.atomic():
            rows = due(categories=categories, has_cloud=has_cloud).filter(_is_free(), pk__in=candidates)
            locked = rows.order_by("next_attempt_at", "pk").select_for_update(skip_locked=True, of=("self",))
            copies = _within(locked.select_related("file"), most_bytes)
            taken = Copy.objects.filter(pk__in=[copy.pk for copy in copies])
            # A lease that ran out was somebody's death, perhaps of this very file: that counts as an attempt.
            taken.filter(lease_token__isnull=False).update(attempts=F("attempts") + 1)
            taken.update(lease_token=self.token, lease_until=in_seconds(LEASE_SECONDS))
        with self._guard:
            self._held.update(copy.pk for copy in copies)
        return copies

    def _begin_term(self) -> None:
        with self._guard:
            if not self._held:
                self._kept_until = time.monotonic() + LEASE_SECONDS

    def _ours(self, copies: Collection[uuid.UUID]) -> CopyQuerySet:
        return Copy.objects.filter(pk__in=copies, lease_token=self.token)

    def _write_present(self, made: list[Outcome]) -> list[Outcome]:
        if not made:
            return []
        with transaction.atomic():
            files = StoredFile.objects.filter(pk__in=[outcome.copy.file_id for outcome in made])
            # Locked until we have committed: a move or a purge comes before this, and we see it, or after.
            rows = files.select_for_update(no_key=True).order_by("pk").values_list("pk", "key", "state")
            now = {pk: (key, state) for pk, key, state in rows if state in FINDABLE}
            keys = {pk: key for pk, (key, _) in now.items()}
            in_place = [outcome for outcome in made if keys.get(outcome.copy.file_id) == outcome.copy.file.key]
            right = self._not_condemned(in_place)
            self._ours([outcome.copy.pk for outcome in right]).update(
                state=CopyState.PRESENT, verified_at=Now(), attempts=0, next_attempt_at=None, error="",
                lease_token=None, lease_until=None, updated_at=Now(),
            )  # fmt: skip
            # Bytes that turned up on a disk, or in the cloud, are a source for what had none.
            turned_up = [outcome.copy.file_id for outcome in right]
            waiting = Copy.objects.filter(file__in=turned_up, error__startswith=NO_SOURCE, next_attempt_at__gt=Now())
            waiting.exclude(state=CopyState.PRESENT).update(next_attempt_at=Now())
            for file_id in sorted({pk for pk in turned_up if now[pk][1] == FileState.LOST}):
                losing.welcome_back(file_id=file_id)
        kept = {outcome.copy.pk for outcome in right}
        moot = [outcome for outcome in made if outcome.copy.pk not in kept]
        self.give_back([outcome.copy for outcome in moot])
        return moot

    def _not_condemned(self, made: list[Outcome]) -> list[Outcome]:
        """Those that are ours and of which no reader has said anything worse since they were claimed; they are locked.

        The others stay as the reader has left them, and are made by whoever claims them next.
        """
        rows = self._ours([outcome.copy.pk for outcome in made]).select_for_update().order_by("pk")
        now = dict(rows.values_list("pk", "state"))
        return [outcome for outcome in made if now.get(outcome.copy.pk) in {outcome.copy.state, str(CopyState.PRESENT)}]

    def _write_failed(self, failed: list[Outcome]) -> None:
        alike: dict[tuple[str, float, int, str, str], list[uuid.UUID]] = defaultdict(list)
        for outcome in failed:
            why = f"{outcome.code}: {outcome.detail}"[:500]
            state = str(outcome.state or outcome.copy.state)
            alike[why, outcome.retry_after, outcome.copy.attempts, outcome.copy.state, state].append(outcome.copy.pk)
        for (why, retry_after, attempts, claimed, state), copies in alike.items():
            luck = random.random()  # noqa: S311  jitter is no secret
            wait = pause(attempts=attempts, retry_after=retry_after, luck=luck)
            # What a reader has found out since is newer than what we saw.
            self._ours(copies).filter(state=claimed).update(
                state=state, error=Value(why), attempts=F("attempts") + 1, next_attempt_at=in_seconds(wait),
                lease_token=None, lease_until=None, updated_at=Now(),
            )  # fmt: skip
        self.give_back([outcome.copy for outcome in failed])


def bring_forward(*, code: str) -> int:
    """What failed for a reason that is over need not wait any longer; how many copies."""
    waiting = within_reach(Copy.objects.exclude(state=CopyState.PRESENT))
    some = waiting.filter(error__startswith=f"{code}:", next_attempt_at__gt=Now(), lease_until__isnull=True)
    return Copy.objects.filter(pk__in=some.values("pk")).update(next_attempt_at=Now())


def _is_free() -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lt=Now())


def _next_due(last: Place | None, *, most: int) -> list[Place]:
    """The next due copies behind `last` that may be ours to make, by their own columns and index alone.

    Which of them are is asked for those few: asked at once, PostgreSQL would look at the files and copies of them all.
    """
    ours = Q(side=SideName.CLOUD) | Q(side=SideName.LOCAL, node=settings.STORAGE_NODE)
    rows = Copy.objects.exclude(state=CopyState.PRESENT).filter(ours, _is_free(), next_attempt_at__lte=Now())
    if last is not None:
        since, pk = last
        rows = rows.filter(Q(next_attempt_at=since, pk__gt=pk) | Q(next_attempt_at__gt=since))
    found = rows.order_by("next_attempt_at", "pk").values_list("next_attempt_at", "pk")[:most]
    return [(since, pk) for since, pk in found if since is not None]


def _within(rows: Iterable[Copy], most_bytes: int) -> list[Copy]:
    """As many as have that many bytes together, but one at least: the rest is for other processes."""
    taken: list[Copy] = []
    for copy in rows:
        most_bytes -= copy.file.held_size
        if taken and most_bytes < 0:
            break
        taken.append(copy)
    return taken
