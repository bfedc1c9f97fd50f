"""Confidential meetings on a real service: not one byte of their sound lies open anywhere, whatever is killed."""

from __future__ import annotations

import mmap
import threading
import time
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.openai_server import KEY, as_json, openai_server
from tests.journeys.houses import Caller, House, eventually
from tests.journeys.sounds import noise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FILES, SECONDS = 6, 200.0  # six megabytes each


def places_of(house: House, sounds: list[bytes]) -> list[str]:
    """Every file of the whole installation (disk, Space, database, logs) in which a stretch of a sound lies open."""
    probes = [sound[at : at + 48] for sound in sounds for at in range(1_000, len(sound) - 48, len(sound) // 9)]
    found = []
    for path in Path(house.environ["CHATVISTA_HOME"]).rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if any(data.find(probe) >= 0 for probe in probes):
                    found.append(str(path))
    return found


def content(caller: Caller, recording: str, first: int, last: int) -> tuple[int, bytes]:
    """A range of a recording's bytes."""
    answer = caller.ask("GET", f"/recordings/{recording}/content", headers={"Range": f"bytes={first}-{last}"})
    return answer.status, answer.body


def set_confidential(caller: Caller, meeting: str, *, to: bool) -> str:
    """Change the flag; the id of the job that brings the files along."""
    answer = caller.ask("PATCH", f"/meetings/{meeting}", json_body={"confidential": to})
    assert answer.status == 200, answer.body
    job: str = answer.data["sealing_job"]["id"]
    return job


def completed(caller: Caller, job: str) -> bool:
    """Whether a job is done."""
    return bool(caller.ask("GET", f"/jobs/{job}").data["state"] == "completed")


def test_a_confidential_meeting_is_heard_and_written_without_lying_open(house: House, hana_calls: Caller) -> None:
    with openai_server() as server:
        server.always(lambda _: as_json({"text": "The harbour is closed on Monday."}))
        engine = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.base_url, "OPENAI_TRANSCRIPTION_MODEL": "gpt-4o"}
        house.start("worker", **engine)
        house.start("beat")
        made = hana_calls.ask("POST", "/meetings", json_body={"title": "Board", "language": "en", "confidential": True})
        meeting, sound = made.data["id"], noise(seconds=50, seed=1)
        recording = hana_calls.upload(meeting, sound, transcribe=True).data
        assert hana_calls.ask("GET", f"/recordings/{recording['id']}/content").body == sound
        for first, last in ((0, 9), (65_000, 140_000), (len(sound) - 10, len(sound) - 1)):
            assert content(hana_calls, recording["id"], first, last) == (206, sound[first : last + 1])
        eventually(lambda: completed(hana_calls, recording["job"]["id"]), within=60)
        [transcript] = hana_calls.ask("GET", f"/meetings/{meeting}/transcripts").data["results"]
        export = hana_calls.ask("POST", f"/transcripts/{transcript['id']}/exports", json_body={"format": "txt"}).data
        eventually(lambda: completed(hana_calls, export["job"]["id"]), within=60)
        document = hana_calls.ask("GET", f"/exports/{export['export']['id']}/content").body
        assert b"The harbour is closed on Monday." in document
        assert places_of(house, [sound]) == []
        # What was said is text in the database; the document that was made of it lies sealed like the sound.
        assert not any(b"harbour is closed" in path.read_bytes() for path in house.storage.rglob("*") if path.is_file())


def test_a_meeting_turns_confidential_under_readers_and_a_killed_worker(house: House, hana_calls: Caller) -> None:
    meeting = hana_calls.meeting()
    sounds = {
        hana_calls.upload(meeting, sound).data["id"]: sound
        for sound in (noise(seconds=SECONDS, seed=seed) for seed in range(FILES))
    }
    assert len(places_of(house, list(sounds.values()))) == 2 * FILES
    wrong: list[Any] = []
    read, stop = [0], threading.Event()

    def keep_reading(number: int) -> None:
        at = number
        while not stop.is_set():
            at += 1
            recording, sound = list(sounds.items())[at % FILES]
            first = at * 70_001 % (len(sound) - 100_000)
            try:
                status, body = content(hana_calls, recording, first, first + 99_999)
            except (OSError, HTTPException):
                continue  # cut off: no answer is no wrong answer
            if status == 206:
                read[0] += 1
                if body != sound[first : first + 100_000]:
                    wrong.append((recording, first))
            elif status != 503:
                wrong.append((status, body))

    readers = [threading.Thread(target=keep_reading, args=(number,)) for number in range(3)]
    for reader in readers:
        reader.start()
    house.start("worker")
    house.start("beat")
    job = set_confidential(hana_calls, meeting, to=True)
    sealed = "SELECT count(*) FROM storage_sync_storedfile WHERE is_confidential AND category = 'recordings'"
    before = int(house.sql(sealed)[0][0])
    eventually(lambda: int(house.sql(sealed)[0][0]) > before, within=60, every=0.01)
    house.kill("worker")
    time.sleep(1)
    # The one it was at is held for two minutes; nobody who held it is alive.
    house.sql("UPDATE storage_sync_storedfile SET lease_until = now() - interval '1 s' WHERE lease_token IS NOT NULL")
    house.start("worker")
    eventually(lambda: completed(hana_calls, job), within=120, or_else=lambda: house.log("worker"))
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert read[0] > 10
    # What the killed worker had in hand is removed by the next run; its temporary file was sealed already.
    house.sql("UPDATE storage_sync_remnant SET due_at = now()")
    house.manage("storage", "sweep")
    assert places_of(house, list(sounds.values())) == []
    for recording, sound in sounds.items():
        assert hana_calls.ask("GET", f"/recordings/{recording}/content").body == sound
    assert "0 differences" in house.manage("storage", "reconcile")
