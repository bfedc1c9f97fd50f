"""Real clients, two instances with separate disks: where one was killed in the middle, the other goes on."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.clients import Client, installed
from tests.journeys.houses import MIB, Caller, House, a_house, eventually
from tests.journeys.instances import Instance
from tests.journeys.sounds import noise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SOUND = noise(seconds=3000, seed=4)  # 92 MiB


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with a_house() as house:
        yield house


@pytest.fixture(scope="module")
def latest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("latest"))


@pytest.fixture(scope="module")
def uppy5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("uppy5"), generation="uppy5")


@pytest.fixture
def first(house: House) -> Iterator[Instance]:
    yield from running(Instance(house, name="first", storage=house.storage.parent / "first"))


@pytest.fixture
def second(house: House) -> Iterator[Instance]:
    yield from running(Instance(house, name="second", storage=house.storage.parent / "second"))


def running(instance: Instance) -> Iterator[Instance]:
    instance.start("web")
    yield instance
    instance.stop()


@pytest.fixture
def caller(second: Instance) -> Caller:
    """Signed in at the instance that stays."""
    person = Caller(second.port)
    person.register()
    return person


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "weekly.wav"
    path.write_bytes(SOUND)
    return path


def address(instance: Instance) -> str:
    return f"http://127.0.0.1:{instance.port}"


def downloads(caller: Caller, recording: str, instance: Instance) -> bool:
    """The recording, whole and right, from an instance that never saw some of its bytes."""
    caller.port = instance.port
    shown = caller.ask("GET", f"/recordings/{recording}").data
    assert (shown["size"], shown["sha256"]) == (len(SOUND), hashlib.sha256(SOUND).hexdigest())
    content = caller.ask("GET", f"/recordings/{recording}/content")
    return content.status == 200 and content.body == SOUND


def kill_at(house: House, instance: Instance, share: float) -> None:
    """SIGKILL its web process once that share of the upload is acknowledged."""

    def is_there() -> bool:
        rows = house.sql('SELECT "offset", size FROM storage_sync_upload ORDER BY created_at DESC LIMIT 1')
        return bool(rows) and rows[0][0] >= share * rows[0][1]

    eventually(is_there, within=120, every=0.005)
    instance.kill("web")


def kill_when_parts_came(house: House, instance: Instance, caller: Caller, share: float) -> None:
    """The same for parts that go past it, by what the Space has."""

    def are_there() -> bool:
        rows = house.sql("SELECT id, key FROM storage_sync_upload ORDER BY created_at DESC LIMIT 1")
        if not rows:
            return False
        parts = caller.ask("GET", f"/s3/multipart/{rows[0][0]}?key={rows[0][1]}")
        came = sum(part["Size"] for part in json.loads(parts.body)) if parts.status == 200 else 0
        return came >= share * len(SOUND)

    eventually(are_there, within=120, every=0.005)
    instance.kill("web")


@pytest.mark.parametrize("chunk", [None, 9 * MIB], ids=["one endless chunk", "chunks of 9 MiB"])
def test_tus_js_client_goes_on_at_the_other_instance(
    house: House, latest: Path, first: Instance, second: Instance, caller: Caller, file: Path, chunk: int | None
) -> None:
    told: dict[str, Any] = {"token": caller.token, "meeting": caller.meeting(), "file": str(file), "chunkSize": chunk}
    with Client(latest, "tus.mjs", base=address(first), retryDelays=[0, 1000, 3000, 5000], **told) as client:
        client.wait_for("url")
        kill_at(house, first, 0.6)
        client.wait_for("failed")
        client.tell(base=address(second))
        recording = client.wait_for("done")["recording"]
    assert downloads(caller, recording, second)
    assert len(caller.recordings(told["meeting"])) == 1


def test_uppy_goes_on_with_tus_at_the_other_instance(
    house: House, latest: Path, first: Instance, second: Instance, caller: Caller, file: Path
) -> None:
    told: dict[str, Any] = {"token": caller.token, "meeting": caller.meeting(), "file": str(file), "plugin": "tus"}
    with Client(latest, "uppy.mjs", base=address(first), **told) as client:
        client.wait_for("added")
        kill_at(house, first, 0.6)
        client.wait_for("failed")
        # Until the lease of the killed request has run out the upload is locked, and Uppy was told not to wait.
        time.sleep(8)
        client.tell(base=address(second))
        client.wait_for("done")
    [recording] = caller.recordings(told["meeting"])
    assert downloads(caller, recording["id"], second)


@pytest.mark.parametrize("generation", ["latest", "uppy5"])
def test_uppy_goes_on_with_parts_at_the_other_instance(
    house: House, first: Instance, second: Instance, caller: Caller, file: Path, generation: str,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    project: Path = request.getfixturevalue(generation)
    told: dict[str, Any] = {"token": caller.token, "meeting": caller.meeting(), "file": str(file), "plugin": "s3"}
    told["sha256"] = hashlib.sha256(SOUND).hexdigest()
    # The older generation ends an upload that fails: it must not notice.
    told |= {"standby": address(second)} if generation == "uppy5" else {}
    with Client(project, "uppy.mjs", base=address(first), **told) as client:
        client.wait_for("added")
        kill_when_parts_came(house, first, caller, 0.6)
        if generation == "latest":
            client.wait_for("failed")
            client.tell(base=address(second))
        done = client.wait_for("done")
    [recording] = caller.recordings(told["meeting"])
    assert done["url"].endswith(recording["id"])
    assert recording["verified"] is True
    assert downloads(caller, recording["id"], second)


def test_small_files_and_the_dialects_of_tus_js_client(
    latest: Path, second: Instance, caller: Caller, tmp_path: Path
) -> None:
    small = tmp_path / "small.wav"
    small.write_bytes(noise(seconds=5))
    meeting = caller.meeting()
    told: dict[str, Any] = {"token": caller.token, "meeting": meeting, "file": str(small), "base": address(second)}
    for dialect in ({}, {"duringCreation": True}, {"override": True, "chunkSize": 50_000}):
        with Client(latest, "tus.mjs", **told, **dialect) as client:
            recording = client.wait_for("done")["recording"]
        content = caller.ask("GET", f"/recordings/{recording}/content")
        assert content.body == small.read_bytes()
    assert len(caller.recordings(meeting)) == 3
