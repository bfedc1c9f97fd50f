"""`make instance` as a person meets it: beside a running stack, alone, twice, and when its stack ends."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatvista.embedded.client import Client
from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.instancing import _environ_of_instance, run_instance
from chatvista.embedded.processes import born_at
from chatvista.embedded.servers import accepts, free_port
from tests.embedded.test_supervising import Run, processes
from tests.journeys.sounds import noise

STACK: dict[str, Any] = {
    "pid": 1,
    "variables": {
        "DATABASE_URL": "postgresql://somewhere/chatvista",
        "CHATVISTA_STORAGE_PATH": "/stack/storage",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "PORT": "8000",
        "SIGNING_KEY": "secret",
    },
}


def of_instance(tmp_path: Path, **environ: str) -> dict[str, str]:
    return _environ_of_instance(stack=STACK, environ=environ, home=Home(tmp_path / "8001"), port=8001)


def test_an_instance_shares_all_but_what_makes_it_another_one(tmp_path: Path) -> None:
    found = of_instance(tmp_path, CHATVISTA_DISK_DURABLE="false", PORT="9")
    assert found["DATABASE_URL"] == "postgresql://somewhere/chatvista"
    assert found["SIGNING_KEY"] == "secret"
    assert found["CHATVISTA_DISK_DURABLE"] == "false"
    assert (found["PORT"], found["PUBLIC_URL"]) == ("8001", "http://127.0.0.1:8001")
    assert found["CHATVISTA_STORAGE_PATH"] == str(tmp_path / "8001" / "storage")
    assert found["CHATVISTA_NODE"] == f"{socket.gethostname()}-8001"


@pytest.mark.parametrize(
    "same", [{"CHATVISTA_STORAGE_PATH": "/stack/storage"}, {"CHATVISTA_NODE": socket.gethostname()}]
)
def test_an_instance_may_not_share_the_disk_or_the_name(tmp_path: Path, same: dict[str, str]) -> None:
    with pytest.raises(StackError, match="of its own"):
        of_instance(tmp_path, **same)


def test_without_a_stack_there_is_a_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_instance({"CHATVISTA_HOME": str(home)}) == 1
    assert "start it with `make run`" in capsys.readouterr().err


@pytest.fixture
def environ(bare: dict[str, str]) -> dict[str, str]:
    return {**bare, "PORT": str(free_port())}


@pytest.fixture
def runs(home: Path, environ: dict[str, str]) -> Iterator[list[Run]]:
    """The stack first; what a test adds is ended before it."""
    begun = [Run("run", home=home, environ=environ)]
    yield begun
    for one in reversed(begun):
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGINT)
            one.process.wait(60)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_file_sent_to_one_instance_is_served_by_the_other(
    home: Path, runs: list[Run], environ: dict[str, str], tmp_path: Path
) -> None:
    runs[0].await_words("http://127.0.0.1:")
    runs[0].await_words("host:")
    taken = Run("instance", home=home, environ=environ)
    assert taken.process.wait(60) == 1
    assert "make instance PORT=8002" in taken.told

    port = free_port()
    runs.append(Run("instance", home=home, environ={**environ, "PORT": str(port)}))
    runs[1].await_words("One more instance runs")
    login = json.loads((home / "logins.json").read_text())
    who = login["host"]
    file = tmp_path / "sound.wav"

    file.write_bytes(noise(seconds=2))
    there, here = Client(f"http://127.0.0.1:{port}"), Client(f"http://127.0.0.1:{environ['PORT']}")
    for client in (there, here):
        client.sign_in(email=who["email"], password=who["password"])
    meeting = there.post("/meetings", {"title": "Two disks", "language": "en"})["id"]
    made = there.upload(f"/meetings/{meeting}/recordings?transcribe=false", file, content_type="audio/wav")
    for client in (there, here):
        assert client.download(f"/recordings/{made['id']}/content") == file.read_bytes()
    disk = home / "instances" / str(port) / "storage"
    assert (disk / ".node").read_text() != (home / "storage" / ".node").read_text()
    assert [path.stat().st_size for path in (disk / "recordings").rglob("*.wav")] == [file.stat().st_size]

    started = processes(home / "instances" / str(port))
    assert set(started) == {"web", "worker"}
    runs[1].process.send_signal(signal.SIGINT)
    assert runs[1].process.wait(60) == 0
    assert not any(born_at(pid) for pid in started.values())
    assert not accepts(port)
    with urllib.request.urlopen(f"http://127.0.0.1:{environ['PORT']}/health/live", timeout=10) as answer:
        assert answer.status == 200

    runs[1] = Run("instance", home=home, environ={**environ, "PORT": str(port)})
    runs[1].await_words("One more instance runs")
    runs[0].process.send_signal(signal.SIGINT)
    assert runs[0].process.wait(60) == 0
    assert runs[1].process.wait(60) == 1
    assert "has ended" in runs[1].told
