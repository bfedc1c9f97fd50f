from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from meetings.models import Recording
from storage_sync.models import StoredFile
from tests.journeys.conftest import LIMIT, Web
from tests.journeys.sending import answered, pieces
from tests.meetings import making

TONE = making.sound(seconds=3)
MIB = 1024 * 1024
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_chunked_body_without_a_length_is_taken(web: Web, address: str, bearer: dict[str, str]) -> None:
    connection = web.connect()
    connection.request(
        "POST", address, body=pieces(TONE), headers=bearer | {"Content-Type": "audio/wav"}, encode_chunked=True
    )
    status, given = answered(connection)
    connection.close()
    assert (status, given["size"], given["sha256"]) == (201, len(TONE), hashlib.sha256(TONE).hexdigest())
    assert {(copy["side"], copy["state"]) for copy in given["storage"]["copies"]} == {
        ("local", "present"),
        ("cloud", "present"),
    }


def test_a_chunked_form_is_taken(web: Web, address: str, bearer: dict[str, str]) -> None:
    body, kind = making.form(("file", "a.wav", TONE))
    connection = web.connect()
    connection.request("POST", address, body=pieces(body), headers=bearer | {"Content-Type": kind}, encode_chunked=True)
    status, given = answered(connection)
    connection.close()
    assert (status, given["size"]) == (201, len(TONE))


@pytest.mark.parametrize("kind", ["audio/wav", "multipart/form-data; boundary=x"])
def test_a_client_that_sends_on_can_read_why_it_was_refused(
    web: Web, address: str, bearer: dict[str, str], kind: str
) -> None:
    connection = web.connect()
    headers = bearer | {"Content-Type": kind, "Content-Length": str(3 * LIMIT)}
    connection.putrequest("POST", address)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(3 * LIMIT // MIB):
        connection.send(bytes(MIB))
    assert answered(connection)[0] == 413
    connection.close()


def test_a_refusal_comes_before_the_body_for_a_client_that_waits(
    web: Web, address: str, bearer: dict[str, str]
) -> None:
    connection = web.connect()
    connection.putrequest("POST", address)
    for name, value in (bearer | {"Content-Type": "audio/wav", "Content-Length": str(10**12)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    began = time.monotonic()
    status, problem = answered(connection)
    connection.close()
    assert (status, problem["code"]) == (413, "body_too_large")
    assert time.monotonic() - began < 5


def test_curl_reads_the_refusal_of_a_large_body(web: Web, address: str, bearer: dict[str, str], tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    with large.open("wb") as sink:
        sink.truncate(2 * LIMIT)
    command = ["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", "-H", f"Authorization: {bearer['Authorization']}"]
    command += ["-H", "Content-Type: audio/wav", "--data-binary", f"@{large}", f"http://127.0.0.1:{web.port}{address}"]
    for expectation in (["-H", "Expect: 100-continue"], ["-H", "Expect:"]):
        told = subprocess.run([*command, *expectation], capture_output=True, text=True, timeout=60, check=True)
        body, _, status = told.stdout.rpartition("\n")
        assert (status, json.loads(body)["code"]) == ("413", "body_too_large")


def test_a_chunked_body_beyond_the_limit_is_stopped(web: Web, address: str, bearer: dict[str, str]) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(2 * LIMIT // MIB):
            yield bytes(MIB)

    connection = web.connect()
    connection.request(
        "POST", address, body=endless(), headers=bearer | {"Content-Type": "audio/wav"}, encode_chunked=True
    )
    status, problem = answered(connection)
    connection.close()
    assert (status, problem["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("framing", ["length", "chunks", "form"])
def test_a_cut_connection_leaves_nothing(web: Web, address: str, bearer: dict[str, str], framing: str) -> None:
    body, kind = making.form(("file", "a.wav", TONE)) if framing == "form" else (TONE, "audio/wav")
    length = "Transfer-Encoding: chunked" if framing == "chunks" else f"Content-Length: {len(body)}"
    head = f"POST {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n{length}\r\n"
    head += f"Authorization: {bearer['Authorization']}\r\n\r\n"
    half = body[: len(body) // 2]
    sent = f"{len(body):x}\r\n".encode() + half if framing == "chunks" else half
    with socket.create_connection(("127.0.0.1", web.port)) as wire:
        wire.sendall(head.encode() + sent)
        time.sleep(0.3)
    until = time.monotonic() + 10
    while _files(web.storage) and time.monotonic() < until:
        time.sleep(0.1)
    assert _files(web.storage) == []
    assert (Recording.objects.count(), StoredFile.objects.count()) == (0, 0)


def _files(storage: Path) -> list[Path]:
    return [path for path in storage.rglob("*") if path.is_file() and path.stat().st_size > 1000]


def test_two_uploads_on_one_connection_follow_each_other(web: Web, address: str, bearer: dict[str, str]) -> None:
    connection = web.connect()
    for body in (TONE, b"", TONE):
        connection.request("POST", address, body=body, headers=bearer | {"Content-Type": "audio/wav"})
        assert answered(connection)[0] == (201 if body else 400)
    connection.close()


@pytest.mark.slow
def test_a_large_upload_keeps_memory_flat(web: Web, address: str, bearer: dict[str, str], hana: User) -> None:
    """Sixty mebibytes at a time, as a form and raw, with a real header: memory grows by a few chunks, not by files."""
    body = bytearray(making.sound(seconds=0.1)[:44]) + bytes(LIMIT - 100_000)
    body[4:8] = (len(body) - 8).to_bytes(4, "little")
    body[40:44] = (len(body) - 44).to_bytes(4, "little")
    connection = web.connect()
    connection.request("POST", address, body=TONE, headers=bearer | {"Content-Type": "audio/wav"})
    assert answered(connection)[0] == 201
    before = _largest_memory(web)
    form, kind = making.form(("file", "a.wav", bytes(body)))
    for content, content_type in ((bytes(body), "audio/wav"), (form, kind)):
        connection.request("POST", address, body=content, headers=bearer | {"Content-Type": content_type})
        assert answered(connection)[0] == 201
    connection.close()
    assert _largest_memory(web) - before < 48 * MIB


def _largest_memory(web: Web) -> int:
    """The high-water mark of the web worker, in bytes."""
    children = Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text().split()
    peaks = []
    for pid in children:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            peaks += [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks)
