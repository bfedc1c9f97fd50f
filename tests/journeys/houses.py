"""A whole service of its own: embedded servers, web, worker and beat as real processes that can be hurt one by one."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from chatvista.embedded.home import CHECKOUT
from chatvista.embedded.keeping import Part
from chatvista.embedded.keyring import APPLICATION
from chatvista.embedded.parts import part_program
from chatvista.embedded.processes import Child, last_lines
from chatvista.embedded.servers import Server, free_port
from chatvista.embedded.stack import Stack
from chatvista.embedded.surroundings import SHARED

MIB = 1024 * 1024
LEASE_SECONDS = 4
_KEPT_OUT = {*SHARED, *APPLICATION, "DJANGO_SETTINGS_MODULE"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        """The JSON in the body."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Caller:
    """One signed-in person, who never repeats a request by themselves; every request has its own connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = ""

    def ask(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float = 90,
    ) -> Answer:
        """One request; OSError or HTTPException when no answer comes."""
        sent = dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent["Content-Type"] = "application/json"
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        address = path if path.startswith(("/health", "/api")) else f"/api/v1{path}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            is_chunked = body is not None and not isinstance(body, bytes) and "Content-Length" not in sent
            connection.request(method, address, body=body, headers=sent, encode_chunked=is_chunked)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def register(self) -> None:
        """Become somebody new."""
        person = {"email": f"{uuid.uuid4().hex}@example.org", "password": "a long passphrase 7", "name": "Hana"}
        answer = self.ask("POST", "/auth/register", json_body=person)
        assert answer.status == 201, answer.body
        self.token = answer.data["access"]

    def meeting(self, title: str = "Weekly") -> str:
        """A new meeting's id."""
        answer = self.ask("POST", "/meetings", json_body={"title": title, "language": "en"})
        assert answer.status == 201, answer.body
        made: str = answer.data["id"]
        return made

    def upload(self, meeting: str, sound: bytes, *, key: str = "", transcribe: bool = False) -> Answer:
        """A recording of a meeting."""
        headers = {"Content-Type": "audio/wav"} | ({"Idempotency-Key": key} if key else {})
        path = f"/meetings/{meeting}/recordings?transcribe={str(transcribe).lower()}"
        return self.ask("POST", path, body=sound, headers=headers)

    def recordings(self, meeting: str) -> list[dict[str, Any]]:
        """All that is visible."""
        answer = self.ask("GET", f"/meetings/{meeting}/recordings?page_size=200")
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.data["results"]
        return found


class House:
    """The service. Parts and servers are killed and started again by name; ports stay as they are."""

    def __init__(self, folder: Path) -> None:
        bare = {
            name: value
            for name, value in os.environ.items()
            if name not in _KEPT_OUT and not name.startswith(("CHATVISTA_", "DO_SPACES_", "OPENAI_"))
        }
        self.port = free_port()
        own = {
            "PORT": str(self.port),
            "CHATVISTA_HOME": str(folder / ".chatvista"),
            "DISK_RESERVE_BYTES": "0",
            "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
            "ACCESS_TOKEN_SECONDS": "3600",
            "DJANGO_SETTINGS_MODULE": "chatvista.settings",
            # Empty keeps a developer's `.env` out.
            "OPENAI_API_KEY": "",
            "OPENAI_BASE_URL": "",
        }
        self._stack = Stack(folder / ".chatvista", environ=bare | own, careless=True)
        self._parts: dict[str, Child] = {}
        self.environ: dict[str, str] = {}

    def open(self) -> None:
        """Start the servers and lay the tables."""
        self.environ = self._stack.start()
        self.manage("migrate", "--noinput")

    def close(self) -> None:
        """End everything."""
        for name in list(self._parts):
            self.stop(name)
        for name in ("PostgreSQL", "Valkey", "the S3 server"):
            # One that a failed test has paused would not hear of its end.
            self.resume(name)
        self._stack.stop()

    @property
    def running(self) -> list[str]:
        """The parts that were started and not stopped."""
        return list(self._parts)

    @property
    def storage(self) -> Path:
        """The local side."""
        return Path(self.environ["CHATVISTA_STORAGE_PATH"])

    def manage(self, *words: str) -> str:
        """What a management command prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            env=self.environ, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def sweep(self) -> None:
        """Let every lease and every idempotency claim run out (nobody who held one is alive) and sweep."""
        self.sql("UPDATE storage_sync_storedfile SET lease_until = now() - interval '1 s' WHERE state = 'reserved'")
        self.sql("UPDATE foundation_idempotencykey SET lease_until = now() - interval '1 s' WHERE status IS NULL")
        self.manage(
            "shell", "-v", "0", "-c", "from storage_sync.inspecting import sweeping; sweeping.sweep_reservations()"
        )

    def sql(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement, committed."""
        with psycopg.connect(self.environ["DATABASE_URL"]) as connection:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def start(self, name: str, *, kind: str = "", **more: str) -> None:
        """Start `web`, `worker` or `beat`; `kind` when the name is another than that."""
        program = part_program(kind or name, home=self._stack.home, environ=self.environ | more)
        self._parts[name] = Child(program)
        if (kind or name) == "web":
            self.await_web(port=int(more.get("PORT", self.port)), name=name)

    def await_web(self, *, port: int = 0, name: str = "web") -> None:
        """Wait until it answers."""
        child = self._parts[name]

        def answers() -> bool:
            assert child.exit_code is None, self.log(name)
            with contextlib.suppress(OSError, http.client.HTTPException):
                return Caller(port or self.port).ask("GET", "/health/live", patience=5).status == 200
            return False

        eventually(answers, within=40, or_else=lambda: self.log(name))

    def stop(self, name: str) -> None:
        """End a part politely."""
        child = self._parts.pop(name)
        child.ask_to_stop()
        child.finish(patience=8)

    def kill(self, name: str) -> None:
        """SIGKILL a part and all it has started, at once."""
        child = self._parts.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.finish(patience=10)

    def children(self, name: str) -> list[int]:
        """The processes that the main process of a part has started."""
        pid = self._parts[name].pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def log(self, name: str) -> str:
        """How a part's log ends."""
        log = self._stack.home.logs / f"{'web' if name.startswith('web') else name}.log"
        return last_lines(log, count=40)

    def kill_server(self, name: str) -> None:
        """SIGKILL one of the embedded servers."""
        _, part = self._server(name)
        os.killpg(part.pid, signal.SIGKILL)
        part.end(patience=10)

    def pause(self, name: str) -> None:
        """SIGSTOP: connections are taken and nothing is answered."""
        os.killpg(self._server(name)[1].pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._server(name)[1].pid, signal.SIGCONT)

    def stop_server(self, name: str) -> None:
        """End one of the embedded servers politely."""
        _, part = self._server(name)
        part.ask_to_stop()
        part.end(patience=10)

    def start_server(self, name: str) -> None:
        """Start a server that has ended, on the port it had."""
        server, part = self._server(name)
        port = {"PostgreSQL": "DATABASE_URL", "Valkey": "REDIS_URL", "the S3 server": "DO_SPACES_ENDPOINT"}[name]
        part.start()
        number = int(self.environ[port].rpartition(":")[2].partition("/")[0])
        eventually(lambda: server.is_ready(port=number), within=30)

    def _server(self, name: str) -> tuple[Server, Part]:
        return next(pair for pair in self._stack._running if pair[0].name == name)


@contextlib.contextmanager
def a_house() -> Iterator[House]:
    """A house with its servers up and its tables laid, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="chatvista-house-") as folder:
        Path(folder).chmod(0o755)
        house = House(Path(folder))
        try:
            house.open()
            yield house
        finally:
            house.close()


def eventually(
    holds: Callable[[], bool], *, within: float, every: float = 0.1, or_else: Callable[[], str] = str
) -> None:
    """Wait until something holds."""
    until = time.monotonic() + within
    while not holds():
        assert time.monotonic() < until, f"not within {within} s. {or_else()}"
        time.sleep(every)
