"""Jobs: leases, fencing, retries, and what becomes of work whose worker died."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, connection
from django.db.models.functions import Now
from pytest_django import DjangoAssertNumQueries

from chatvista.foundation import working
from chatvista.foundation.leases import LeaseLostError, State, due
from chatvista.foundation.models import IdempotencyKey, Job
from chatvista.foundation.problems import PermanentError, Problem, TransientError
from chatvista.foundation.working import Kind, Work

KIND = "test_work"


@pytest.fixture
def do(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Say what the test's kind of work does."""
    kinds = dict(working._kinds)

    def register(run: Callable[[Work], None], most_attempts: int = 3) -> None:
        working.register(Kind(name=KIND, queue="default", run=run, most_attempts=most_attempts))

    register(lambda work: None)
    monkeypatch.setattr(working, "_wake", lambda job: None)
    monkeypatch.setattr(working, "_messages_in", lambda queue: 0)
    yield register
    working._kinds.clear()
    working._kinds.update(kinds)


def queued(**params: object) -> Job:
    return working.queue_job(kind=KIND, tenant_id=uuid.uuid4(), subject_id=uuid.uuid4(), params=dict(params))


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))


def make_due(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(next_attempt_at=Now())


@pytest.mark.django_db
def test_a_job_runs_once_and_ends_completed(do: Callable[..., None]) -> None:
    ran: list[object] = []
    do(lambda work: ran.append(work.job.params["x"]))
    job = queued(x=1)
    working.run_job(job_id=job.pk)
    working.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (ran, job.state, job.progress, job.attempts, job.lease_token) == ([1], "completed", 1.0, 1, None)


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_exactly_one_claims_a_job(do: Callable[..., None]) -> None:
    job = queued()
    barrier = threading.Barrier(8)
    won: list[bool] = []

    def claim() -> None:
        mine = Job.objects.get(pk=job.pk)
        barrier.wait()
        won.append(mine.claim())
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
    assert Job.objects.get(pk=job.pk).attempts == 1


@pytest.mark.django_db
def test_a_leased_job_is_not_due_until_its_lease_has_run_out(do: Callable[..., None]) -> None:
    job = queued()
    assert job.claim()
    assert not Job.objects.get(pk=job.pk).claim()
    expire(job)
    assert Job.objects.filter(due(), pk=job.pk).exists()
    assert Job.objects.get(pk=job.pk).claim()


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_cannot_commit(do: Callable[..., None]) -> None:
    job = queued()
    assert job.claim()
    slow = Work(job)
    expire(job)
    fast = Job.objects.get(pk=job.pk)
    assert fast.claim()
    with pytest.raises(LeaseLostError), slow.finishing():
        IdempotencyKey.objects.create(caller=uuid.uuid4(), route="r", key="k", fingerprint="f", lease_until=Now())
    assert not IdempotencyKey.objects.exists()
    assert Job.objects.get(pk=job.pk).state == State.RUNNING
    with pytest.raises(LeaseLostError):
        slow.keep(part=1)
    fast.settle(State.COMPLETED)


@pytest.mark.django_db
def test_a_dead_workers_job_goes_on_with_its_checkpoint(do: Callable[..., None]) -> None:
    heard: list[int] = []

    def listen(work: Work) -> None:
        for part in range(work.job.checkpoint.get("parts", 0), 3):
            heard.append(part)
            work.keep(parts=part + 1)
            if heard == [0, 1]:
                raise LeaseLostError("the process was killed here")

    do(listen)
    job = queued()
    working.run_job(job_id=job.pk)
    assert Job.objects.get(pk=job.pk).state == State.RUNNING
    expire(job)
    working.run_job(job_id=job.pk)
    assert heard == [0, 1, 2]
    assert Job.objects.get(pk=job.pk).state == State.COMPLETED


@pytest.mark.django_db
def test_a_transient_error_is_tried_again_later_and_says_why(do: Callable[..., None]) -> None:
    def fail(work: Work) -> None:
        raise TransientError("engine_busy", "The engine is busy.", retry_after=120)

    do(fail)
    job = queued(keep="me")
    working.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error_detail) == ("queued", "engine_busy", "The engine is busy.")
    assert Job.objects.filter(pk=job.pk, next_attempt_at__gte=Now() + timedelta(seconds=100)).exists()
    working.run_job(job_id=job.pk)
    assert Job.objects.get(pk=job.pk).attempts == 1
    for _ in range(2):
        make_due(job)
        working.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.params) == ("failed", 3, {"keep": "me"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (PermanentError("no_audio_track", "There is no sound."), "failed", "no_audio_track"),
        (Problem("not_ready", "Not yet.", status=409), "failed", "not_ready"),
        (Problem("storage_unavailable", "Away.", status=503), "queued", "storage_unavailable"),
        (ZeroDivisionError("secret detail"), "queued", "internal_error"),
    ],
)
def test_each_kind_of_error_ends_in_the_row(do: Callable[..., None], error: Exception, state: str, code: str) -> None:
    def fail(work: Work) -> None:
        raise error

    do(fail)
    job = queued()
    working.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (state, code)
    assert "secret detail" not in job.error_detail


@pytest.mark.django_db
def test_a_job_that_kills_its_worker_again_and_again_is_given_up(do: Callable[..., None]) -> None:
    do(lambda work: None)
    job = queued()
    for _ in range(3):
        assert Job.objects.get(pk=job.pk).claim()
        expire(job)
    working.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "too_many_attempts")


@pytest.mark.django_db
def test_cancelling_stops_a_running_worker_at_its_next_report(do: Callable[..., None]) -> None:
    reached: list[str] = []

    def long_work(work: Work) -> None:
        working.cancel_job(job_id=work.job.pk)
        reached.append("before")
        work.enter("next")
        reached.append("after")

    do(long_work)
    job = queued()
    working.run_job(job_id=job.pk)
    assert reached == ["before"]
    assert Job.objects.get(pk=job.pk).state == State.CANCELLED


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.COMPLETED, State.FAILED, State.CANCELLED])
def test_cancel_and_retry_work_in_every_state(do: Callable[..., None], state: State) -> None:
    job = queued(kept=1)
    if state != State.QUEUED:
        assert job.claim()
        if state != State.RUNNING:
            job.settle(state)
    after_retry = working.retry_job(job_id=job.pk)
    assert after_retry.state == (State.QUEUED if state in {State.FAILED, State.CANCELLED} else state)
    after_cancel = working.cancel_job(job_id=job.pk)
    assert after_cancel.state == (State.COMPLETED if state == State.COMPLETED else State.CANCELLED)
    assert after_cancel.params == {"kept": 1}


@pytest.mark.django_db
def test_the_reaper_wakes_what_is_due_and_nothing_else(
    do: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, leased, expired, done = (queued() for _ in range(4))
    for job in (leased, expired, done):
        assert job.claim()
    expire(expired)
    done.settle(State.COMPLETED)
    woken: list[uuid.UUID] = []
    monkeypatch.setattr(working, "_wake", lambda job: woken.append(job.pk))
    assert working.reap_jobs() == 2
    assert set(woken) == {fresh.pk, expired.pk}


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_does_not_undo_the_row(do: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(job: Job) -> None:
        raise ConnectionError("broker away")

    monkeypatch.setattr(working, "_wake", unreachable)
    job = queued()
    assert Job.objects.get(pk=job.pk).state == State.QUEUED


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_keeps_a_long_job_ours(do: Callable[..., None], settings: Any) -> None:
    settings.JOB_LEASE_SECONDS = 3.2
    lost: list[bool] = []
    finish = threading.Event()

    def long_work(work: Work) -> None:
        finish.wait(5.0)
        lost.append(Job.objects.filter(due(), pk=work.job.pk).exists())

    do(long_work)
    job = queued()
    working.run_job(job_id=job.pk)
    assert lost == [False]
    assert Job.objects.get(pk=job.pk).state == State.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_one_missed_heartbeat_does_not_end_the_others(
    do: Callable[..., None], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_LEASE_SECONDS = 3.2
    renew = Job.renew
    beats: list[float] = []

    def fail_once(job: Job) -> bool:
        beats.append(time.monotonic())
        if len(beats) == 1:
            raise InterfaceError("the connection is closed")
        return renew(job)

    monkeypatch.setattr(Job, "renew", fail_once)
    do(lambda work: time.sleep(3.0))
    working.run_job(job_id=queued().pk)
    assert len(beats) > 2


@pytest.mark.django_db
def test_reporting_progress_often_costs_nothing(
    do: Callable[..., None], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = queued()
    assert job.claim()
    work = Work(job)
    with django_assert_max_num_queries(2):
        for share in range(1000):
            work.progress(share / 1000)
