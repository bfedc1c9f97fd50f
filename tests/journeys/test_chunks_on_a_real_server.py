from __future__ import annotations

import hashlib
import http.client
import json
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from accounts.models import User
from storage_sync.models import Upload as Row
from tests.journeys.conftest import Web
from tests.journeys.houses import eventually
from tests.meetings import making
from tests.meetings.api.resuming import CHUNK, TUS, metadata

SOUND = making.sound(seconds=400.0)
"""12 MiB."""


@dataclass
class Upload:
    """One upload, over connections of its own."""

    web: Web
    address: str

    def ask(
        self, method: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str]]:
        connection = self.web.connect()
        try:
            connection.request(method, self.address, body=body, headers=TUS | (headers or {}))
            answer = connection.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()

    def patch(self, offset: int, body: bytes) -> tuple[int, dict[str, str]]:
        return self.ask("PATCH", {"Upload-Offset": str(offset), "Content-Type": CHUNK}, body)

    @property
    def offset(self) -> int:
        status, headers = self.ask("HEAD")
        assert status == 200
        return int(headers["upload-offset"])

    @contextmanager
    def by_hand(self, offset: int, announced: int) -> Iterator[socket.socket]:
        """A PATCH whose body is sent by the test."""
        head = (
            f"PATCH {self.address} HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
            f"Content-Type: {CHUNK}\r\nContent-Length: {announced}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.web.port), timeout=60) as wire:
            wire.sendall(head.encode())
            yield wire


def status_of(wire: socket.socket) -> int:
    answer = http.client.HTTPResponse(wire)
    answer.begin()
    return answer.status


@pytest.fixture
def upload(web: Web, hana: User, bearer: dict[str, str]) -> Upload:
    words = metadata(meeting=str(making.meeting_of(hana).pk), filename="weekly.wav", transcribe="false")
    connection = web.connect()
    headers = TUS | bearer | {"Upload-Length": str(len(SOUND)), "Upload-Metadata": words}
    connection.request("POST", "/api/v1/uploads", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    connection.close()
    return Upload(web, str(answer.headers["Location"]))


def is_right(upload: Upload, recording: str, bearer: dict[str, str]) -> bool:
    connection = upload.web.connect()
    connection.request("GET", f"/api/v1/recordings/{recording}", headers=bearer)
    told = json.loads(connection.getresponse().read())
    connection.close()
    return bool(told["sha256"] == hashlib.sha256(SOUND).hexdigest())


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
def test_connections_cut_at_random_bytes_cost_no_acknowledged_one(
    upload: Upload, bearer: dict[str, str], resets: bool
) -> None:
    chance, at = random.Random(7), 0
    for _ in range(5):
        sent = chance.randrange(1, (len(SOUND) - at) // 3)
        with upload.by_hand(at, len(SOUND) - at) as wire:
            wire.sendall(SOUND[at : at + sent])
            # Otherwise it might not even have begun to read when we ask where it stands.
            eventually(lambda: Row.objects.get().lease_token is not None, within=30, every=0.02)
            if resets:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def answers(at: int = at) -> bool:
            # Locked until the server has noticed, and written down what had come.
            return upload.patch(upload.offset, b"")[0] == 204

        eventually(answers, within=30)
        now = upload.offset
        # What is in the server's buffers when a connection is reset is lost to it, and was not acknowledged.
        assert at <= now <= at + sent
        assert resets or now == at + sent
        at = now
    status, headers = upload.patch(at, SOUND[at:])
    assert status == 204
    assert is_right(upload, headers["x-chatvista-recording"], bearer)


def test_of_two_chunks_at_once_one_is_told_to_wait(upload: Upload, bearer: dict[str, str]) -> None:
    with upload.by_hand(0, len(SOUND)) as wire:
        wire.sendall(SOUND[: 1 << 20])
        eventually(lambda: upload.patch(0, b"x")[0] == 423, within=10)
        assert upload.offset == 0
        wire.sendall(SOUND[1 << 20 :])
        assert status_of(wire) == 204
    status, headers = upload.ask("HEAD")
    assert (status, headers["upload-offset"]) == (200, str(len(SOUND)))
    assert is_right(upload, headers["x-chatvista-recording"], bearer)


@pytest.mark.slow
def test_a_client_that_fell_silent_is_overtaken_and_commits_nothing_when_it_comes_back(
    upload: Upload, bearer: dict[str, str]
) -> None:
    with upload.by_hand(0, len(SOUND)) as wire:
        wire.sendall(SOUND[: 1 << 20])
        # Its lease is not renewed while it says nothing.
        eventually(lambda: upload.patch(0, SOUND[:5000])[0] == 204, within=20, every=0.5)
        assert upload.offset == 5000
        wire.sendall(b"\0" * (len(SOUND) - (1 << 20)))
        assert status_of(wire) == 423
    assert upload.offset == 5000
    status, headers = upload.patch(5000, SOUND[5000:])
    assert status == 204
    assert is_right(upload, headers["x-chatvista-recording"], bearer)


@pytest.mark.slow
def test_a_client_that_says_nothing_more_is_given_up(upload: Upload) -> None:
    with upload.by_hand(0, len(SOUND)) as wire:
        wire.sendall(SOUND[:300_000])
        wire.settimeout(60)
        assert status_of(wire) in {400, 423}
    assert upload.offset <= 300_000
