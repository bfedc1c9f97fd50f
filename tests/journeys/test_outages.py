"""Each server under a running service stops, hangs, is killed and comes back: what is said meanwhile, what goes on."""

from __future__ import annotations

import hashlib
import threading
import time

import pytest

from tests.journeys.houses import MIB, Answer, Caller, House, eventually
from tests.journeys.sounds import noise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
TONE = noise(seconds=3)
SPACES = "the S3 server"


def require_refused(answer: Answer) -> None:
    """503, as a problem, with the time after which to come again."""
    assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json"), answer.body
    assert answer.data["code"] == "storage_unavailable"
    assert int(answer.headers["retry-after"]) > 0


def require_stored(caller: Caller, answer: Answer, sound: bytes) -> None:
    """201, both copies, and the same bytes back."""
    assert answer.status == 201, answer.body
    assert answer.data["storage"]["durability"] == "both"
    content = caller.ask("GET", f"/recordings/{answer.data['id']}/content").body
    assert hashlib.sha256(content).hexdigest() == answer.data["sha256"] == hashlib.sha256(sound).hexdigest()


def health_of(caller: Caller) -> tuple[int, str]:
    """The status of the answer and the one in it, which comes soon whatever hangs (tests/chatvista/test_health.py)."""
    began = time.monotonic()
    answer = caller.ask("GET", "/health")
    assert time.monotonic() - began < 6
    return answer.status, answer.data["status"]


@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_while_the_space_is_away_nothing_is_taken_and_afterwards_everything(
    house: House, hana_calls: Caller, how: str
) -> None:
    meeting = hana_calls.meeting()
    require_stored(hana_calls, hana_calls.upload(meeting, TONE), TONE)
    large = noise(seconds=20 * MIB / 32_000)
    answers: list[Answer] = []
    # Two are on their way when it happens: one that goes in a piece, one in parts.
    threads = [
        threading.Thread(target=lambda sound=sound: answers.append(hana_calls.upload(meeting, sound)))
        for sound in (TONE, large)
    ]
    if how == "killed":
        house.kill_server(SPACES)
    else:
        house.pause(SPACES)
    began = time.monotonic()
    for thread in threads:
        thread.start()
    # What was found out a moment ago is believed for a while.
    eventually(lambda: health_of(hana_calls) == (200, "degraded"), within=15)
    assert hana_calls.ask("GET", f"/recordings/{hana_calls.recordings(meeting)[0]['id']}/content").body == TONE
    for thread in threads:
        thread.join()
    # The platform cuts requests after 100 s.
    assert time.monotonic() - began < 90
    for answer in answers:
        require_refused(answer)
    assert len(answers) == 2
    assert len(hana_calls.recordings(meeting)) == 1

    if how == "killed":
        house.start_server(SPACES)
    else:
        house.resume(SPACES)
    eventually(lambda: health_of(hana_calls) == (200, "healthy"), within=30)
    for sound in (TONE, large):
        require_stored(hana_calls, hana_calls.upload(meeting, sound), sound)
    assert len(hana_calls.recordings(meeting)) == 3


def test_a_space_that_is_killed_during_an_upload_leaves_nothing_visible(house: House, hana_calls: Caller) -> None:
    meeting = hana_calls.meeting()
    large = noise(seconds=60 * MIB / 32_000)
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(hana_calls.upload(meeting, large)))
    thread.start()
    # Its row is there as soon as the bytes have landed here and begin to go there.
    eventually(
        lambda: house.sql("SELECT 1 FROM storage_sync_storedfile WHERE state = 'reserved'") != [], within=30, every=0.01
    )
    house.kill_server(SPACES)
    thread.join()
    try:
        require_refused(answers[0])
        assert hana_calls.recordings(meeting) == []
    finally:
        house.start_server(SPACES)
    require_stored(hana_calls, hana_calls.upload(meeting, large), large)


def test_without_valkey_files_come_and_go_and_work_is_done_once_it_is_back(house: House, hana_calls: Caller) -> None:
    house.start("worker")
    house.start("beat")
    meeting = hana_calls.meeting()
    house.kill_server("Valkey")
    eventually(lambda: health_of(hana_calls) == (200, "degraded"), within=10)
    answer = hana_calls.upload(meeting, TONE, transcribe=True)
    require_stored(hana_calls, answer, TONE)
    job = answer.data["job"]["id"]
    assert hana_calls.ask("GET", f"/jobs/{job}").data["state"] == "queued"

    house.start_server("Valkey")
    assert health_of(hana_calls) == (200, "healthy")
    # The message was never sent: the scan of due rows finds the job.
    eventually(
        lambda: hana_calls.ask("GET", f"/jobs/{job}").data["state"] == "completed",
        within=90,
        or_else=lambda: house.log("worker") + house.log("beat"),
    )
    assert house.running == ["web", "worker", "beat"]


def test_a_worker_goes_on_taking_work_when_valkey_restarts_under_a_running_job(
    house: House, hana_calls: Caller
) -> None:
    house.start("worker")
    house.start("beat")
    meeting = hana_calls.meeting()
    long = hana_calls.upload(meeting, noise(seconds=700), transcribe=True).data["job"]["id"]

    def state_of(job: str) -> str:
        return str(hana_calls.ask("GET", f"/jobs/{job}").data["state"])

    eventually(lambda: state_of(long) == "running", within=60)
    house.kill_server("Valkey")
    time.sleep(3)
    house.start_server("Valkey")
    short = hana_calls.upload(meeting, TONE, transcribe=True).data["job"]["id"]
    for job in (long, short):
        eventually(
            lambda: state_of(job) == "completed",  # noqa: B023  waited for within this turn of the loop
            within=60,
            or_else=lambda: house.log("worker"),
        )
    assert hana_calls.ask("GET", f"/jobs/{long}").data["attempts"] == 1


def test_web_worker_and_beat_outlive_a_restart_of_postgresql(house: House, hana_calls: Caller) -> None:
    house.start("worker")
    house.start("beat")
    meeting = hana_calls.meeting()
    require_stored(hana_calls, hana_calls.upload(meeting, TONE), TONE)
    house.stop_server("PostgreSQL")
    assert health_of(hana_calls) == (503, "unhealthy")
    assert hana_calls.ask("GET", "/health/live").status == 200
    assert hana_calls.ask("GET", "/health/ready").status == 503
    for answer in (hana_calls.ask("GET", f"/meetings/{meeting}"), hana_calls.upload(meeting, TONE)):
        assert (answer.status, answer.data["code"]) == (503, "database_unavailable")
        assert int(answer.headers["retry-after"]) > 0

    house.start_server("PostgreSQL")
    eventually(lambda: health_of(hana_calls) == (200, "healthy"), within=10)
    # Sixteen requests reach every thread of both processes, and whatever dead connection one of them has kept.
    assert {hana_calls.ask("GET", f"/meetings/{meeting}").status for _ in range(16)} == {200}
    assert len(hana_calls.recordings(meeting)) == 1
    answer = hana_calls.upload(meeting, TONE, transcribe=True)
    require_stored(hana_calls, answer, TONE)
    job = answer.data["job"]["id"]
    eventually(
        lambda: hana_calls.ask("GET", f"/jobs/{job}").data["state"] == "completed",
        within=60,
        or_else=lambda: house.log("worker") + house.log("beat"),
    )
