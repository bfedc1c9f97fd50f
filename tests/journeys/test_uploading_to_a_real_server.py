from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts import signing_in
from accounts.models import User
from accounts.origins import Origin
from meetings.models import Recording, Transcript
from storage_sync.models import StoredFile
from tests.journeys.conftest import LIMIT, Web
from tests.meetings import making

TONE = making.sound(seconds=3)
MIB = 1024 * 1024
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address(hana: User) -> str:
    """Where recordings of a meeting of Hana's go."""
    return f"/api/v1/meetings/{making.meeting_of(hana).pk}/recordings"


@pytest.fixture
def bearer(hana: User) -> dict[str, str]:
    """Hana's token, as a header."""
    pair = signing_in.open_session(user=hana, origin=Origin(address="127.0.0.1", user_agent="tests"))
    return {"Authorization": f"Bearer {pair.access}"}


def transcripts(address: str) -> str:
    return address.replace("/recordings", "/transcripts")


def answered(connection: http.client.HTTPConnection) -> tuple[int, dict[str, Any]]:
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def pieces(body: bytes, size: int = 7000) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


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


SAID = {"segments": [{"speaker": "Hana", "start_ms": 0, "end_ms": 1000, "text": "Shall we ship?"}]}


@pytest.mark.parametrize(
    ("kind", "body"), [("application/json", json.dumps(SAID).encode()), ("text/plain", b"Hana: Shall we ship?\n")]
)
def test_a_transcript_in_chunks_is_taken(
    web: Web, address: str, bearer: dict[str, str], kind: str, body: bytes
) -> None:
    connection = web.connect()
    for end in (None, 400):
        connection.request(
            "POST", transcripts(address), body=pieces(body if end is None else b"", 7), encode_chunked=True,
            headers=bearer | {"Content-Type": kind},
        )  # fmt: skip
        status, given = answered(connection)
        assert (status, given.get("segments_count")) == ((201, 1) if end is None else (end, None))
    connection.close()
    assert Transcript.objects.count() == 1


def test_an_empty_object_may_come_in_chunks(web: Web, address: str, bearer: dict[str, str]) -> None:
    """And what is neither JSON nor empty is not taken for an empty object."""
    connection = web.connect()
    meeting, headers = address.removesuffix("/recordings"), bearer | {"Content-Type": "application/json"}
    for body, expected in ((b"", 200), (b"{}", 200), (b"nonsense", 400), (b'{"title": "Said in chunks"}', 200)):
        connection.request("PATCH", meeting, body=pieces(body, 4), headers=headers, encode_chunked=True)
        status, given = answered(connection)
        assert status == expected
    connection.close()
    assert given["title"] == "Said in chunks"


def test_a_chunked_json_body_beyond_its_bound_is_refused(web: Web, address: str, bearer: dict[str, str]) -> None:
    connection = web.connect()
    body = b'{"title": "' + b"x" * (6 * MIB) + b'"}'
    headers = bearer | {"Content-Type": "application/json"}
    connection.request(
        "PATCH", address.removesuffix("/recordings"), body=pieces(body, MIB), headers=headers, encode_chunked=True
    )
    assert answered(connection)[0] == 413
    connection.close()


def over_the_wire(web: Web, head: str, body: bytes, *, ends: bool = False) -> bytes:
    """The whole answer to a request written by hand; `ends` closes our side after it."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as wire:
        wire.sendall(f"{head}\r\nHost: 127.0.0.1\r\n\r\n".encode() + body)
        if ends:
            wire.shutdown(socket.SHUT_WR)
        taken = b""
        with contextlib.suppress(TimeoutError):
            while piece := wire.recv(65536):
                taken += piece
    return taken


NO_CHUNKS = [
    (b"zz\r\nabc", b"malformed_body"),
    (b"3\r\nabcX", b"body_cut_short"),
    (b"3\r\nabc\r\n9", b"body_cut_short"),
    (b"9\r\nabc", b"body_cut_short"),
    (b"3\r\nabc\r\n0\r\n", b"body_cut_short"),
]


def test_chunks_that_are_none_are_the_clients_fault(web: Web, address: str, bearer: dict[str, str]) -> None:
    token = f"Transfer-Encoding: chunked\r\nAuthorization: {bearer['Authorization']}"
    for kind in ("audio/wav", "multipart/form-data; boundary=x", "application/json", "text/plain"):
        path = address if kind.startswith(("audio", "multipart")) else transcripts(address)
        for framed, code in NO_CHUNKS:
            taken = over_the_wire(web, f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\n{token}", framed, ends=True)
            assert (kind, framed, taken[:12]) == (kind, framed, b"HTTP/1.1 400")
            assert code in taken
    assert (Recording.objects.count(), Transcript.objects.count()) == (0, 0)


UNREAD = ("/api/v1/meetings", "/api/v1/users/me", "/api/v1/nowhere", "/health/live", "/admin/login/")


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("token", ["", "Bearer nonsense"])
def test_an_answer_to_an_unread_body_says_that_it_is_the_last(web: Web, address: str, token: str, framing: str) -> None:
    for path in (address, transcripts(address), *UNREAD):
        connection = web.connect()
        body = bytes(3 * MIB)
        connection.request(
            "POST", path, body=body if framing == "length" else pieces(body, MIB), encode_chunked=framing == "chunks",
            headers={"Content-Type": "application/json"} | ({"Authorization": token} if token else {}),
        )  # fmt: skip
        response = connection.getresponse()
        response.read()
        assert response.status in {401, 403, 404, 405}
        assert (path, response.headers["Connection"]) == (path, "close")
        connection.close()


def test_a_small_body_that_was_not_read_costs_no_connection(web: Web, address: str, bearer: dict[str, str]) -> None:
    connection = web.connect()
    connection.connect()
    wire = connection.sock
    for _ in range(3):
        connection.request("POST", address, body=bytes(40_000), headers={"Content-Type": "audio/wav"})
        response = connection.getresponse()
        assert (response.status, response.headers["Connection"]) == (401, "keep-alive")
        response.read()
        for body in (b"{}", b'{"title": ' + b" " * 200_000 + b'"x"}'):
            kind = {"Content-Type": "application/json"}
            connection.request("PATCH", address.removesuffix("/recordings"), body=body, headers=bearer | kind)
            assert answered(connection)[0] == 200
    assert connection.sock is wire
    connection.close()


def test_a_client_that_says_nothing_more_is_let_go(web: Web, address: str) -> None:
    head = f"POST {address} HTTP/1.1\r\nContent-Type: audio/wav\r\nContent-Length: {MIB}"
    began = time.monotonic()
    taken = over_the_wire(web, head, bytes(1000))
    assert taken.startswith(b"HTTP/1.1 401")
    assert b"Connection: close" in taken
    assert time.monotonic() - began < 5


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
