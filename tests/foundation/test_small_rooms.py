"""Ids, signatures, parsing and preconditions."""

from __future__ import annotations

import io
import json
import time
import uuid
from types import SimpleNamespace

import pytest
import time_machine
from django.http import HttpResponse
from django.test import RequestFactory
from gunicorn.http.errors import (  # type: ignore[import-untyped]  # it ships none
    ChunkMissingTerminator,
    InvalidChunkSize,
    NoMoreData,
)
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from chatvista.foundation import preconditions, signatures
from chatvista.foundation.bodies import Body, ChunkedBodies
from chatvista.foundation.parsing import StrictJSONParser
from chatvista.foundation.problems import Problem
from chatvista.foundation.records import uuid7


def test_ids_are_version_7_and_sort_by_birth() -> None:
    made = []
    for _ in range(200):
        made.append(uuid7())
        time.sleep(0.000_002)
    assert all(one.version == 7 and one.variant == uuid.RFC_4122 for one in made)
    assert made == sorted(made)
    assert abs((made[0].int >> 80) - time.time() * 1000) < 60_000


@given(claims=st.dictionaries(st.text(max_size=8).filter(lambda name: name != "exp"), st.text(max_size=20), max_size=4))
def test_a_signed_token_gives_back_its_claims(claims: dict[str, str]) -> None:
    token = signatures.sign(purpose="download", claims=claims, seconds=60)
    assert signatures.verify(purpose="download", token=token) == claims


def test_a_token_works_for_its_purpose_only() -> None:
    token = signatures.sign(purpose="download", claims={"file": "1"}, seconds=60)
    with pytest.raises(Problem) as caught:
        signatures.verify(purpose="share", token=token)
    assert (caught.value.code, caught.value.status) == ("link_invalid", 403)


@pytest.mark.parametrize("token", ["", ".", "a", "a.b", "é.é", "e30.AAAA", "x" * 5000])
def test_a_token_not_ours_is_refused(token: str) -> None:
    with pytest.raises(Problem) as caught:
        signatures.verify(purpose="download", token=token)
    assert caught.value.code == "link_invalid"


def test_every_changed_character_of_a_token_is_seen() -> None:
    token = signatures.sign(purpose="download", claims={"file": "1"}, seconds=60)
    for index, letter in enumerate(token):
        forged = token[:index] + ("A" if letter != "A" else "B") + token[index + 1 :]
        try:
            claims = signatures.verify(purpose="download", token=forged)
        except Problem:
            continue
        # The last character of unpadded base64 may carry bits that mean nothing.
        assert claims == {"file": "1"}
        assert index == len(token) - 1


def test_a_token_of_the_key_before_still_works_and_one_of_a_stranger_does_not(settings: Settings) -> None:
    token, old = signatures.sign(purpose="download", claims={"file": "1"}, seconds=60), settings.SIGNING_KEY
    settings.SIGNING_KEY, settings.SIGNING_KEY_PREVIOUS = b"n" * 32, (b"o" * 32, old)
    assert signatures.verify(purpose="download", token=token) == {"file": "1"}
    assert signatures.sign(purpose="download", claims={"file": "1"}, seconds=60) != token
    settings.SIGNING_KEY_PREVIOUS = (b"o" * 32,)
    with pytest.raises(Problem, match="link_invalid"):
        signatures.verify(purpose="download", token=token)


def test_a_token_expires() -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        token = signatures.sign(purpose="download", claims={}, seconds=60)
    with time_machine.travel("2026-01-01T00:00:59Z", tick=False):
        signatures.verify(purpose="download", token=token)
    with time_machine.travel("2026-01-01T00:01:01Z", tick=False), pytest.raises(Problem) as caught:
        signatures.verify(purpose="download", token=token)
    assert caught.value.code == "link_expired"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": Infinity}', "Infinity is not JSON"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
    ],
)
def test_a_body_that_would_fail_later_is_refused_now(body: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        StrictJSONParser().parse(io.BytesIO(body))


def test_good_bodies_pass_with_every_letter() -> None:
    body = '{"title": "Übersicht 📈", "pair": "\\ud83d\\ude00"}'.encode()
    assert StrictJSONParser().parse(io.BytesIO(body)) == {"title": "Übersicht 📈", "pair": "😀"}
    assert StrictJSONParser().parse(io.BytesIO(b"")) == {}


@pytest.mark.parametrize("text", ["C:\\u0000", "\\\\u0000", "\\"])
def test_a_backslash_before_u0000_is_no_nul(text: str) -> None:
    body = json.dumps({"path": text, "in": [{"a list": text}]})
    assert StrictJSONParser().parse(io.BytesIO(body.encode())) == json.loads(body)


@pytest.mark.parametrize("value", [{"a": ["b", {"c": "d\x00"}]}, {"a\x00": 1}, {"C:\\u0000": "\x00"}])
def test_a_nul_is_found_wherever_it_is(value: dict[str, object]) -> None:
    with pytest.raises(ParseError, match="NUL"):
        StrictJSONParser().parse(io.BytesIO(json.dumps(value).encode()))


class Wire:
    """What a server gives of a body: some bytes, a few at a time, and then its end or an error."""

    def __init__(self, rest: bytes, then: Exception | None = None) -> None:
        self.rest, self.then, self.given = rest, then, 0

    def read(self, size: int) -> bytes:
        piece, self.rest = self.rest[: min(size, 1000)], self.rest[min(size, 1000) :]
        self.given += len(piece)
        if not piece and self.then is not None:
            raise self.then
        return piece


def test_a_whole_body_is_read_however_small_its_pieces() -> None:
    assert Body(source=Wire(b"x" * 5000), announced=5000).whole(largest=5000) == b"x" * 5000
    assert Body(source=Wire(b"x" * 5000), announced=None).whole(largest=5000) == b"x" * 5000


@pytest.mark.parametrize(
    ("wire", "announced", "code"),
    [
        (Wire(b"x" * 4999), 5000, "body_cut_short"),
        (Wire(b"x" * 4999, ConnectionResetError()), 5000, "body_cut_short"),
        (Wire(b"x" * 10, NoMoreData()), None, "body_cut_short"),
        (Wire(b"x" * 10, ChunkMissingTerminator(b"")), None, "body_cut_short"),
        (Wire(b"x" * 10, InvalidChunkSize(b"zz")), None, "malformed_body"),
        (Wire(b"x" * 6000), None, "body_too_large"),
    ],
)
def test_a_body_that_is_not_whole_is_refused(wire: Wire, announced: int | None, code: str) -> None:
    with pytest.raises(Problem) as caught:
        Body(source=wire, announced=announced).whole(largest=5000)
    assert caught.value.code == code


def test_a_body_announced_too_large_is_not_read() -> None:
    wire = Wire(b"x" * 6000)
    with pytest.raises(Problem) as caught:
        Body(source=wire, announced=6000).whole(largest=5000)
    assert (caught.value.status, wire.given) == (413, 0)


def test_chunks_the_server_does_not_frame_need_a_length() -> None:
    request = RequestFactory().post("/", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
    answer = ChunkedBodies(lambda request: HttpResponse("served"))(request)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (411, "length_required")


def test_a_body_without_end_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        StrictJSONParser().parse(io.BytesIO(b'{"a": "' + b"x" * (6 * 1024 * 1024)))
    assert caught.value.status == 413


@pytest.mark.parametrize(("sent", "passes"), [("", True), ("*", True), ('"3"', True), ('W/"3"', True),
                                              ('"1", "3"', True), ('"2"', False), ("3", False)])  # fmt: skip
def test_if_match_names_the_current_revision_or_is_refused(sent: str, passes: bool) -> None:
    headers = {"HTTP_IF_MATCH": sent} if sent else {}
    request = Request(APIRequestFactory().patch("/", **headers))
    row = SimpleNamespace(revision=3)
    if passes:
        preconditions.require_current(request=request, row=row)
    else:
        with pytest.raises(Problem) as caught:
            preconditions.require_current(request=request, row=row)
        assert caught.value.status == 412
        assert '"3"' in caught.value.detail
