"""Queueing, running, cancelling and retrying jobs, and bringing back those whose worker died.

Upper apps `register` what they can do under a name; nothing here knows what a job is about.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from chatvista.foundation.heartbeats import beating
from chatvista.foundation.leases import LeaseLostError, State, due
from chatvista.foundation.models import Job
from chatvista.foundation.problems import PermanentError, Problem, TransientError

logger = structlog.get_logger(__name__)

RUN_JOB = "chatvista.foundation.tasks.run_job"
"""The task that comes back to `run_job`, by name: tasks are a door to this room and import it."""
PROGRESS_EVERY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be worked on: who does it, on which queue, and how often it may be tried."""

    name: str
    queue: str
    run: Callable[[Work], None]
    most_attempts: int = 6


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind of work known. Called once per kind, when the app that does it is ready."""
    _kinds[kind.name] = kind


class Work:
    """What the one who does the work holds: the job under a lease, and the ways to report on it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._lost = threading.Event()
        self._written_at = 0.0

    def enter(self, step: str) -> None:
        """Say which step begins; raises LeaseLostError when the work is no longer ours."""
        self.job.note(step=step)

    def progress(self, share: float) -> None:
        """Say how far it is (0..1); raises LeaseLostError when the work is no longer ours. Cheap to call often."""
        if self._lost.is_set():
            raise LeaseLostError(f"{self.job.pk} is no longer ours")
        if time.monotonic() - self._written_at >= PROGRESS_EVERY_SECONDS:
            self._written_at = time.monotonic()
            self.job.note(progress=min(max(share, 0.0), 1.0))

    def keep(self, **finished: Any) -> None:
        """Keep the outcome of a finished part for the next attempt (merged into `checkpoint`, JSON values only)."""
        self.job.note(checkpoint={**self.job.checkpoint, **finished})

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """A transaction that completes the job together with what the body writes, or does neither."""
        with transaction.atomic():
            yield
            self.job.settle(State.COMPLETED)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Renew the lease from a thread of its own while the body works."""
        with beating(self.job.renew, every=settings.JOB_LEASE_SECONDS / 4, name=f"job-{self.job.pk}") as lost:
            self._lost = lost
            yield


def queue_job(*, kind: str, tenant_id: uuid.UUID, subject_id: uuid.UUID, params: dict[str, Any] | None = None) -> Job:
    """Write the row of a new job in the caller's transaction and wake a worker once that has committed."""
    job = Job.objects.create(
        kind=kind, queue=_kinds[kind].queue, tenant_id=tenant_id, subject_id=subject_id, params=params or {}
    )
    _wake_on_commit(job)
    return job


def run_job(*, job_id: uuid.UUID) -> None:
    """Do a job if it is due and ours to take; every outcome ends in the row."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None or not job.claim():
        return
    kind = _kinds.get(job.kind)
    with structlog.contextvars.bound_contextvars(job_id=str(job.pk), job_kind=job.kind):
        work = Work(job)
        try:
            if kind is None:
                raise PermanentError("unknown_job_kind", f"This version does not know the work {job.kind!r}.")
            # Counted in the row, not by the broker: a job that kills its worker would be redelivered for ever.
            if job.attempts > kind.most_attempts:
                raise PermanentError("too_many_attempts", "The work was given up after its worker died repeatedly.")
            with work.beating():
                kind.run(work)
            if job.state == State.RUNNING:
                job.settle(State.COMPLETED)
            logger.info("job_completed", attempts=job.attempts)
        except LeaseLostError:
            logger.warning("lease_lost", step=job.step)
        except Exception as error:  # noqa: BLE001  whatever went wrong must end in the row, or the job hangs for ever
            _settle_failure(job, error, most_attempts=kind.most_attempts if kind else 1)


def cancel_job(*, job_id: uuid.UUID) -> Job:
    """Stop a job in whatever state it is; what has ended stays as it ended. A running worker notices by its lease."""
    Job.objects.filter(pk=job_id, state__in=[State.QUEUED, State.RUNNING]).update(
        state=State.CANCELLED, lease_token=None, lease_until=None, finished_at=Now(), updated_at=Now()
    )
    return Job.objects.get(pk=job_id)


def retry_job(*, job_id: uuid.UUID) -> Job:
    """Queue a failed or cancelled job again with the same params, at the step it had reached; else change nothing."""
    with transaction.atomic():
        revived = Job.objects.filter(pk=job_id, state__in=[State.FAILED, State.CANCELLED]).update(
            state=State.QUEUED, attempts=0, next_attempt_at=Now(), finished_at=None,
            error_code="", error_detail="", updated_at=Now(),
        )  # fmt: skip
        job = Job.objects.get(pk=job_id)
        if revived:
            _wake_on_commit(job)
    return job


def reap_jobs(*, most: int = 500) -> int:
    """Wake a worker for what is due: lost messages, run-out leases and delayed retries alike.

    Returns how many were woken. Claiming decides who gets them, so waking twice does no harm; but a message for each
    of them at every scan would fill the broker while all workers are busy, so those already waiting are taken off.
    """
    waiting: dict[str, list[Job]] = {}
    for job in Job.objects.filter(due()).order_by("next_attempt_at")[:most]:
        waiting.setdefault(job.queue, []).append(job)
    woken = 0
    for queue, jobs in waiting.items():
        for job in jobs[: max(0, len(jobs) - _messages_in(queue))]:
            _wake(job)
            woken += 1
    return woken


def _settle_failure(job: Job, error: Exception, *, most_attempts: int) -> None:
    if isinstance(error, TransientError | PermanentError | Problem):
        code, detail = error.code, error.detail
        logger.warning("job_attempt_failed", code=code, detail=detail, attempts=job.attempts)
    elif isinstance(error, SoftTimeLimitExceeded):
        code, detail = "took_too_long", "The work took longer than a worker may spend on it."
        logger.warning("job_attempt_failed", code=code, attempts=job.attempts)
    else:
        code, detail = "internal_error", f"An unexpected {type(error).__name__} stopped the work; it has been logged."
        logger.error("job_attempt_crashed", attempts=job.attempts, exc_info=error)
    may_retry = not isinstance(error, PermanentError) and not (isinstance(error, Problem) and error.status < 500)
    wait = max(_delay(job.attempts), getattr(error, "retry_after", None) or 0.0)
    try:
        if may_retry and job.attempts < most_attempts:
            job.settle(State.QUEUED, error_code=code, error_detail=detail, delay=wait)
        else:
            job.settle(State.FAILED, error_code=code, error_detail=detail)
    except LeaseLostError:
        logger.warning("lease_lost", step=job.step)


def _delay(attempts: int) -> float:
    """Exponential back-off with full jitter over its upper half: 1..2 s, 2..4 s, ... up to ten minutes."""
    ceiling = min(LONGEST_DELAY_SECONDS, 2.0**attempts)
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311  jitter is no secret


def _wake_on_commit(job: Job) -> None:
    # robust: the row is committed whatever the broker says, and the periodic scan will find it.
    transaction.on_commit(lambda: _wake(job), robust=True)


def _wake(job: Job) -> None:
    current_app.send_task(RUN_JOB, args=(str(job.pk),), queue=job.queue)


def _messages_in(queue: str) -> int:
    with current_app.connection_or_acquire() as broker:
        # Not by a passive declaration, kombu's own way: it forgets the prefix of our keys and finds no queue.
        return int(broker.default_channel.client.llen(queue))
