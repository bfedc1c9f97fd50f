"""A real web process (gunicorn, as in production) on the test database, with both sides of the storeroom."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as configured
from django.db import connection

from accounts import signing_in
from accounts.models import User
from accounts.origins import Origin
from tests.journeys.houses import Caller, House, a_house
from tests.meetings import making

LIMIT = 64 * 1024 * 1024
"""The MAX_BODY_BYTES of the process."""


@dataclass(frozen=True)
class Web:
    """Where it listens, its process, and its folder of files."""

    port: int
    process: subprocess.Popen[bytes]
    storage: Path

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def web(transactional_db: None, storeroom: Path, tmp_path: Path) -> Iterator[Web]:
    """A web process; what tests write to the database and commit is there for it."""
    port = _free_port()
    url = urlsplit(os.environ["DATABASE_URL"])
    environment = os.environ | {
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}")),
        "DO_SPACES_BUCKET": configured.SPACES_BUCKET,
        "CHATVISTA_STORAGE_PATH": str(storeroom),
        "CHATVISTA_PLAIN_HTTP": "true",
        "MAX_BODY_BYTES": str(LIMIT),
        "DISK_RESERVE_BYTES": "0",
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "DJANGO_SETTINGS_MODULE": "chatvista.settings",
    }
    log = (tmp_path / "web.log").open("wb")
    command = [sys.executable, "-m", "gunicorn", "-c", "python:chatvista.serving", "chatvista.wsgi:application"]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    web = Web(port=port, process=process, storage=storeroom)
    try:
        _wait_until_it_answers(web, log_path=tmp_path / "web.log")
        yield web
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait_until_it_answers(web: Web, *, log_path: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and web.process.poll() is None:
        caller = web.connect()
        try:
            caller.request("GET", "/health/live")
            if caller.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            caller.close()
    raise AssertionError(f"the web process does not answer:\n{log_path.read_text()[-4000:]}")


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A whole service for the tests of one file; which parts run is up to each test."""
    with a_house() as house:
        yield house


@pytest.fixture
def hana_calls(house: House) -> Iterator[Caller]:
    """The service's web process, and somebody new who is signed in to it."""
    if "web" not in house.running:
        house.start("web")
    caller = Caller(house.port)
    caller.register()
    yield caller
    for name in house.running:
        if name != "web":
            house.stop(name)


@pytest.fixture
def address(hana: User) -> str:
    """Where recordings of a meeting of Hana's go."""
    return f"/api/v1/meetings/{making.meeting_of(hana).pk}/recordings"


@pytest.fixture
def bearer(hana: User) -> dict[str, str]:
    """Hana's token, as a header."""
    pair = signing_in.open_session(user=hana, origin=Origin(address="127.0.0.1", user_agent="tests"))
    return {"Authorization": f"Bearer {pair.access}"}
