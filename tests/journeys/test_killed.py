"""SIGKILL of the worker while it listens and of the web process while it takes files in: what was done stays done."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.openai_server import KEY, Asked, OpenAIServer, Reply, as_json, openai_server
from tests.journeys.houses import MIB, Answer, Caller, House, eventually
from tests.journeys.sounds import looped_sample, noise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def job_of(house: House, job: str) -> dict[str, Any]:
    """The row of a job."""
    [row] = house.sql("SELECT state, step, attempts, checkpoint FROM foundation_job WHERE id = %s", job)
    return dict(zip(("state", "step", "attempts", "checkpoint"), row, strict=True))


def heard(house: House, job: str) -> list[dict[str, Any]]:
    """The parts of the recording whose hearing is kept."""
    parts: list[dict[str, Any]] = (job_of(house, job)["checkpoint"] or {}).get("heard", [])
    return parts


def segments_of(caller: Caller, meeting: str) -> list[dict[str, Any]]:
    """The segments of the meeting's one transcript."""
    [transcript] = caller.ask("GET", f"/meetings/{meeting}/transcripts").data["results"]
    assert transcript["state"] == "completed"
    answer = caller.ask("GET", f"/transcripts/{transcript['id']}/segments?page_size=200")
    segments: list[dict[str, Any]] = answer.data["results"]
    assert len(segments) == transcript["segments_count"]
    return segments


def numbered(server: OpenAIServer, *, hang_at: int) -> None:
    """Answer the n-th request with the text "Part n."; the one of that number never in time."""
    count = itertools.count(1)

    def answer(_: Asked) -> Reply:
        number = next(count)
        reply = as_json({"text": f"Part {number}."})
        return Reply(reply.status, reply.body, reply.headers, hang_s=60) if number == hang_at else reply

    server.always(answer)


@pytest.mark.parametrize("victim", ["everything", "the process that listens"])
def test_a_killed_worker_costs_the_part_it_was_hearing(house: House, hana_calls: Caller, victim: str) -> None:
    with openai_server() as server:
        numbered(server, hang_at=4)
        engine = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_TRANSCRIPTION_MODEL": "gpt-4o-transcribe",
        }
        house.start("worker", **engine)
        house.start("beat")
        meeting = hana_calls.meeting()
        # Half a minute is what this model takes at once.
        recording = hana_calls.upload(meeting, noise(seconds=170), transcribe=True).data
        job = recording["job"]["id"]
        eventually(lambda: len(server.asked) == 4 and len(heard(house, job)) == 3, within=30)
        before = job_of(house, job)
        assert (before["state"], before["step"], before["attempts"]) == ("running", "listening", 1)

        if victim == "everything":
            house.kill("worker")
            house.start("worker", **engine)
        else:
            for pid in house.children("worker"):
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: job_of(house, job)["state"] == "completed", within=60, or_else=lambda: house.log("worker"))

        parts = len(before["checkpoint"]["spans"])
        assert parts >= 6
        # Part 4 was asked for again, as the fifth request; nothing else was.
        assert len(server.asked) == parts + 1
        assert job_of(house, job)["attempts"] == 2
        said = [segment["text"] for segment in segments_of(hana_calls, meeting)]
        assert said == [f"Part {number}." for number in range(1, parts + 2) if number != 4]
        house.stop("worker")


def test_what_this_machine_has_heard_is_not_heard_again(house: House, hana_calls: Caller) -> None:
    pytest.importorskip("faster_whisper", reason="the extra `speech` is not installed")
    sound = looped_sample(rounds=5)
    house.start("worker")
    house.start("beat")
    meeting = hana_calls.meeting()
    job = hana_calls.upload(meeting, sound, transcribe=True).data["job"]["id"]
    eventually(lambda: bool(heard(house, job)), within=90, or_else=lambda: house.log("worker"))
    house.kill("worker")
    kept = job_of(house, job)
    assert kept["state"] == "running"
    assert len(kept["checkpoint"]["heard"]) < len(kept["checkpoint"]["spans"])
    # A word that no engine could hear shows where the first part comes from.
    house.sql(
        "UPDATE foundation_job SET checkpoint = jsonb_set(checkpoint, '{heard,0,utterances,0,text}', '\"Mnemosyne.\"')"
        " WHERE id = %s",
        job,
    )
    house.start("worker")
    eventually(lambda: job_of(house, job)["state"] == "completed", within=120, or_else=lambda: house.log("worker"))

    segments = segments_of(hana_calls, meeting)
    assert segments[0]["text"] == "Mnemosyne."
    assert job_of(house, job)["attempts"] == 2
    times = [(segment["start_ms"], segment["end_ms"]) for segment in segments]
    assert times == sorted(set(times))
    # Each round of the sample is heard once.
    assert sum("newspaper" in segment["text"] for segment in segments) == 5
    house.stop("worker")


@dataclass
class Upload:
    """One file on its way, and what came of it."""

    sound: bytes
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: Answer | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sound).hexdigest()

    def send(self, caller: Caller, meeting: str) -> None:
        """Send it, once."""
        try:
            self.answer = caller.upload(meeting, self.sound, key=self.key)
        except (OSError, http.client.HTTPException):
            self.answer = None


def test_a_killed_web_process_loses_nothing_it_acknowledged(house: House, hana_calls: Caller) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    meeting = hana_calls.meeting()
    began = time.monotonic()
    first = Upload(noise(seconds=60, seed=0))
    first.send(hana_calls, meeting)
    usual = time.monotonic() - began
    uploads = [first]
    for number in range(6):
        # One of the three goes to the Space in several parts.
        together = [Upload(noise(seconds=seconds, seed=3 * number + seconds)) for seconds in (20, 60, 560)]
        threads = [threading.Thread(target=upload.send, args=(hana_calls, meeting)) for upload in together]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0, 5 * usual))
        house.kill("web")
        for thread in threads:
            thread.join()
        uploads += together
        house.start("web")
        require_acknowledged(hana_calls, meeting, uploads)
    outcomes = Counter(upload.answer is not None for upload in uploads)
    assert outcomes[False], "no upload was cut; the kills came too late"

    house.sweep()
    require_acknowledged(hana_calls, meeting, uploads, largest=32 * MIB)
    unsettled = "SELECT count(*) FROM storage_sync_storedfile WHERE state NOT IN ('stored', 'abandoned')"
    assert house.sql(unsettled) == [(0,)]
    orphans = "SELECT count(*) FROM meetings_recording r JOIN storage_sync_storedfile f ON f.id = r.file_id"
    assert house.sql(f"{orphans} WHERE f.state <> 'stored'") == [(0,)]
    ownerless = "SELECT count(*) FROM storage_sync_storedfile f LEFT JOIN meetings_recording r ON r.file_id = f.id"
    assert house.sql(f"{ownerless} WHERE f.state = 'stored' AND r.id IS NULL") == [(0,)]

    # Whoever heard nothing asks again, with the same key, and gets one recording, not two.
    for upload in uploads:
        upload.send(hana_calls, meeting)
        assert upload.answer is not None
        assert upload.answer.status == 201, upload.answer.body
    shas = Counter(recording["sha256"] for recording in hana_calls.recordings(meeting))
    assert shas == Counter(upload.sha256 for upload in uploads)


def require_acknowledged(caller: Caller, meeting: str, uploads: list[Upload], *, largest: int = 4 * MIB) -> None:
    """Every acknowledged file can be had, and whatever else is visible, too; read those up to `largest` bytes."""
    recordings = caller.recordings(meeting)
    seen = {recording["sha256"]: recording for recording in recordings}
    assert len(seen) == len(recordings)
    assert seen.keys() <= {upload.sha256 for upload in uploads}
    for upload in uploads:
        if upload.answer is not None:
            assert upload.answer.status == 201, upload.answer.body
            assert seen[upload.sha256]["id"] == upload.answer.data["id"]
    for sha256, recording in seen.items():
        assert recording["storage"]["durability"] == "both"
        if recording["size"] <= largest:
            content = caller.ask("GET", f"/recordings/{recording['id']}/content").body
            assert hashlib.sha256(content).hexdigest() == sha256
