"""SIGKILL of a web process at every step of an upload, its disk often gone with it (guarantees G1 and G2).

What was acknowledged can be had from another instance with another disk. What was not is there whole, or not at all,
and the same request, sent again, makes exactly one recording of it.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatvista.embedded.home import CHECKOUT
from chatvista.embedded.parts import python_program
from chatvista.embedded.processes import Child
from chatvista.embedded.servers import free_port
from tests.journeys.houses import MIB, Answer, Caller, House
from tests.journeys.sounds import noise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SMALL, LARGE = 3 * MIB, 40 * MIB


@dataclass(frozen=True)
class Step:
    """Where the process ends, and what is there then: nothing, a reservation (with its bytes on this disk), or all."""

    name: str
    target: str
    when: str
    leaves: str
    nth: int = 1
    size: int = SMALL


STEPS = [
    Step("while it streams", "storage_sync.arriving.intake:Intake._keep", "after", "nothing", nth=2),
    Step("while parts are sent", "storage_sync.arriving.intake:Intake._keep", "after", "nothing", nth=30, size=LARGE),
    Step("within a part", "storage_sync.sides.slices:Slice.readinto", "after", "nothing", nth=80, size=LARGE),
    Step("after fsync", "storage_sync.arriving.intake:Intake.land", "after", "nothing"),
    Step("after fsync, in parts", "storage_sync.arriving.intake:Intake.land", "after", "nothing", size=LARGE),
    Step("after the name is given", "storage_sync.sides.local:LocalSide.adopt", "after", "nothing"),
    Step("in the first commit", "meetings.models:Recording.objects.create", "after", "nothing"),
    Step("after the first commit", "storage_sync.arriving.receiving:_reserve", "after", "reservation"),
    Step(
        "after the first commit, in parts",
        "storage_sync.arriving.receiving:_reserve",
        "after",
        "reservation",
        size=LARGE,
    ),
    Step("before the put", "storage_sync.sides.cloud:CloudSide._put_whole", "before", "reservation"),
    Step(
        "before the last part",
        "storage_sync.sides.multiparts:Multipart.put",
        "before",
        "reservation",
        nth=3,
        size=LARGE,
    ),
    Step("before completing", "storage_sync.sides.multiparts:Multipart.complete", "before", "reservation", size=LARGE),
    Step("after completing", "storage_sync.sides.multiparts:Multipart.complete", "after", "all", size=LARGE),
    Step("after the put", "storage_sync.sides.cloud:CloudSide.put", "after", "all"),
    Step("after the check", "storage_sync.arriving.replicating:vouches", "after", "all"),
    Step("before the last commit", "storage_sync.arriving.settling:finish", "before", "all"),
    Step("before the last commit, in parts", "storage_sync.arriving.settling:finish", "before", "all", size=LARGE),
    Step("before the answer", "storage_sync.arriving.settling:finish", "after", "all"),
    Step("before the answer, in parts", "storage_sync.arriving.settling:finish", "after", "all", size=LARGE),
]


@dataclass(frozen=True)
class Doomed:
    """An instance beside the house's own: its port, and its disk, which nobody shares."""

    house: House
    port: int
    disk: Path
    environ: dict[str, str]


@pytest.fixture
def doomed(house: House, tmp_path: Path) -> Iterator[Doomed]:
    port = free_port()
    name = f"doomed-{uuid.uuid4().hex[:8]}"
    own = {"PORT": str(port), "CHATVISTA_STORAGE_PATH": str(tmp_path / "disk"), "CHATVISTA_NODE": name}
    yield Doomed(house, port, tmp_path / "disk", house.environ | own | {"WEB_WORKERS": "1"})
    if "web that dies" in house.running:
        house.stop("web that dies")


def start(doomed: Doomed, step: Step) -> None:
    """Serve, to die at that step."""
    words = ["-m", "gunicorn", "-c", "python:chatvista.serving", "tests.journeys.dying:application"]
    deadly = {"DIE_AT": step.target, "DIE_WHEN": step.when, "DIE_NTH": str(step.nth)}
    program = python_program("web", words=words, home=doomed.house._stack.home, environ=doomed.environ | deadly)
    doomed.house._parts["web that dies"] = Child(program)
    doomed.house.await_web(port=doomed.port, name="web that dies")


def send(caller: Caller, meeting: str, sound: bytes, key: str) -> Answer | None:
    try:
        return caller.upload(meeting, sound, key=key)
    except (OSError, http.client.HTTPException):
        return None


def let_leases_run_out(house: House) -> None:
    """Nobody who held one is alive; long ago, so that the node's own time to come back is over, too."""
    house.sql("UPDATE storage_sync_storedfile SET lease_until = now() - interval '1 h' WHERE state = 'reserved'")
    house.sql("UPDATE foundation_idempotencykey SET lease_until = now() - interval '1 s' WHERE status IS NULL")


def sweep(environ: dict[str, str]) -> None:
    """Settle what was reserved, as the node of that environment."""
    command = "from storage_sync.inspecting import sweeping; sweeping.sweep_reservations()"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", command],
        env=environ, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]


def require_content(caller: Caller, recording: str, sound: bytes) -> None:
    answer = caller.ask("GET", f"/recordings/{recording}/content")
    assert answer.status == 200, answer.body
    assert hashlib.sha256(answer.body).hexdigest() == hashlib.sha256(sound).hexdigest()


@pytest.mark.parametrize("disk", ["lost", "kept"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_killed(house: House, hana_calls: Caller, doomed: Doomed, step: Step, disk: str) -> None:
    meeting, key = hana_calls.meeting(), str(uuid.uuid4())
    sound = noise(seconds=step.size / 32_000, seed=STEPS.index(step))
    there = Caller(doomed.port)
    there.token = hana_calls.token
    start(doomed, step)
    assert send(there, meeting, sound, key) is None
    assert house._parts.pop("web that dies").finish(patience=10)
    if disk == "lost":
        shutil.rmtree(doomed.disk)

    seen = hana_calls.recordings(meeting)
    for recording in seen:
        require_content(hana_calls, recording["id"], sound)

    let_leases_run_out(house)
    sweep(doomed.environ if disk == "kept" else house.environ)
    expected = step.leaves == "all" or (step.leaves == "reservation" and disk == "kept")
    seen = hana_calls.recordings(meeting)
    assert len(seen) == expected, house.log("web")
    for recording in seen:
        require_content(hana_calls, recording["id"], sound)
    unsettled = "SELECT state FROM storage_sync_storedfile WHERE state NOT IN ('stored', 'abandoned')"
    assert house.sql(unsettled) == []

    again = send(hana_calls, meeting, sound, key)
    assert again is not None
    assert again.status == 201, again.body
    [recording] = hana_calls.recordings(meeting)
    assert recording["id"] == again.data["id"]
    assert not seen or recording["id"] == seen[0]["id"]
    require_content(hana_calls, recording["id"], sound)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_what_was_acknowledged_outlives_its_instance_and_its_disk(
    house: House, hana_calls: Caller, doomed: Doomed, size: int
) -> None:
    meeting, sound = hana_calls.meeting(), noise(seconds=size / 32_000, seed=size)
    there = Caller(doomed.port)
    there.token = hana_calls.token
    start(doomed, Step("never", "storage_sync.arriving.settling:finish", "after", "all", nth=2))
    answer = there.upload(meeting, sound)
    assert answer.status == 201, answer.body
    house.kill("web that dies")
    shutil.rmtree(doomed.disk)
    require_content(hana_calls, answer.data["id"], sound)
