"""`make run` and `make demo` as a person meets them: begun, disturbed, ended; nothing left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatvista.embedded.client import Client
from chatvista.embedded.home import CHECKOUT
from chatvista.embedded.processes import born_at
from chatvista.embedded.servers import accepts, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Run:
    """One `python -m chatvista.embedded ...` and what it has printed."""

    def __init__(self, word: str, *, home: Path, environ: dict[str, str]) -> None:
        self._told = home.parent / f"told-{time.monotonic_ns()}"
        with self._told.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chatvista.embedded", word],
                env={**environ, "CHATVISTA_HOME": str(home)},
                cwd=CHECKOUT,
                stdout=output,
                stderr=output,
            )

    @property
    def told(self) -> str:
        return self._told.read_text()

    def await_words(self, words: str, *, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.told:
            assert self.process.poll() is None, self.told
            assert time.monotonic() < deadline, self.told
            time.sleep(0.1)


@pytest.fixture
def environ(bare: dict[str, str]) -> dict[str, str]:
    return {**bare, "PORT": str(free_port())}


@pytest.fixture
def run(home: Path, environ: dict[str, str]) -> Iterator[Run]:
    begun = Run("run", home=home, environ=environ)
    yield begun
    if begun.process.poll() is None:
        begun.process.send_signal(signal.SIGINT)
        begun.process.wait(60)


def processes(home: Path) -> dict[str, int]:
    return {entry["name"]: int(pid) for pid, entry in json.loads((home / "processes.json").read_text()).items()}


def test_a_run_serves_survives_a_dead_worker_and_leaves_nothing(home: Path, run: Run, environ: dict[str, str]) -> None:
    run.await_words("Ctrl-C stops everything")
    with urllib.request.urlopen(f"http://127.0.0.1:{environ['PORT']}/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "healthy"
    for name in ("minutes.pdf", "minutes.docx", "captions.vtt"):
        assert (home / "demo" / name).stat().st_size > 500

    again = Run("run", home=home, environ=environ)
    assert again.process.wait(60) == 1
    assert f"already runs in this checkout: http://127.0.0.1:{environ['PORT']}" in again.told

    manage = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "accounts"],
        env={**environ, "CHATVISTA_HOME": str(home)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "[X]" in manage.stdout

    first = processes(home)
    assert set(first) == {"PostgreSQL", "Valkey", "the S3 server", "web", "worker", "beat"}
    os.kill(first["worker"], signal.SIGKILL)
    run.await_words("worker ended (exit code -9); starting it again in 1 s", seconds=10)
    deadline = time.monotonic() + 30
    while processes(home).get("worker", first["worker"]) == first["worker"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)

    everything = {**first, **processes(home)}
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(60) == 0
    assert [name for name, pid in everything.items() if born_at(pid)] == []
    assert not accepts(int(environ["PORT"]))


def test_a_killed_supervisor_takes_everything_along_and_the_next_run_continues(
    home: Path, run: Run, environ: dict[str, str]
) -> None:
    run.await_words("Ctrl-C stops everything")
    running = processes(home)
    run.process.kill()
    run.process.wait()
    after = Run("demo", home=home, environ=environ)
    assert after.process.wait(200) == 0, after.told
    assert "the recording is there from an earlier run" in after.told
    assert [name for name, pid in running.items() if born_at(pid)] == []


def test_servers_that_die_come_back_and_web_serves_on(home: Path, run: Run, environ: dict[str, str]) -> None:
    run.await_words("Ctrl-C stops everything")
    before = processes(home)
    for name in ("PostgreSQL", "Valkey", "the S3 server"):
        os.kill(before[name], signal.SIGKILL)
        run.await_words(f"{name} ended (exit code -9); starting it again in 1 s.", seconds=10)
    login = json.loads((home / "logins.json").read_text())["host"]
    client = Client(f"http://127.0.0.1:{environ['PORT']}")
    # It repeats what is answered with 503, nothing else.
    client.sign_in(email=login["email"], password=login["password"])
    meeting = client.post("/meetings", {"title": "After the storm"})
    sound = CHECKOUT / "meetings" / "samples" / "meeting.opus"
    recording = client.upload(f"/meetings/{meeting['id']}/recordings", sound, content_type="audio/ogg")
    client.follow(recording["job"]["id"], tell=lambda job: None, patience=120)
    after = processes(home)
    assert {name for name in before if before[name] == after.get(name)} == {"web", "worker", "beat"}
