"""Bodies in chunks, broken ones, and ones nobody reads, by what a client sees of them."""

from __future__ import annotations

import json
import time

import pytest

from meetings.models import Recording, Transcript
from tests.journeys.conftest import Web
from tests.journeys.sending import answered, over_the_wire, pieces, transcripts

MIB = 1024 * 1024
pytestmark = pytest.mark.django_db(transaction=True)
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
