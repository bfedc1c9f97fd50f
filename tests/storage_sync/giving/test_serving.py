"""A file as an HTTP answer: parts, conditions, hostile names, and no way to be taken for a page of ours."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from django.utils.http import http_date
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem
from storage_sync.giving import serving
from storage_sync.models import StoredFile
from tests.storage_sync.making import on_disk, put_in_cloud, space, store

pytestmark = pytest.mark.django_db
DATA = bytes(range(256)) * 4


@pytest.fixture(autouse=True)
def closing_an_answer_keeps_the_connection() -> Iterator[None]:
    """As Django's own test client does it: the transaction around a test must outlive the request."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


@pytest.fixture
def file(storeroom: Path) -> StoredFile:
    return store(DATA)


def ask(
    file: StoredFile, method: str = "GET", inline: bool = False, headers: dict[str, str] | None = None, **more: str
) -> HttpResponseBase:
    request = RequestFactory().generic(method, "/x", headers={**(headers or {}), **more})
    return serving.respond(request, file, filename="talk.flac", inline=inline)


def body(answer: HttpResponseBase) -> bytes:
    content: bytes = b"".join(cast("Iterable[bytes]", answer)) if answer.streaming else cast("Any", answer).content
    answer.close()
    return content


def test_the_whole_file_may_be_sent_by_the_server_itself(file: StoredFile) -> None:
    answer = ask(file)
    assert isinstance(answer, FileResponse)
    assert answer.status_code == 200
    assert answer["Content-Length"] == str(len(DATA))
    assert answer["Content-Type"] == "audio/flac"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["ETag"] == f'"{file.sha256}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'attachment; filename="talk.flac"'
    assert "sandbox" in answer["Content-Security-Policy"]
    assert body(answer) == DATA


@pytest.mark.parametrize(
    ("header", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=10-19", 206, 10, 20),
        ("bytes=1000-", 206, 1000, 1024),
        ("bytes=-24", 206, 1000, 1024),
        ("bytes=0-99999", 206, 0, 1024),
        ("bytes=1000-" + "9" * 30, 206, 1000, 1024),
        ("bytes=0-1,3-4", 200, 0, 1024),
        ("lines=0-1", 200, 0, 1024),
        ("bytes=9-3", 200, 0, 1024),
    ],
)
def test_a_range_is_answered_by_the_table(file: StoredFile, header: str, status: int, start: int, end: int) -> None:
    answer = ask(file, range=header)
    assert answer.status_code == status
    assert body(answer) == DATA[start:end]
    assert answer["Content-Length"] == str(end - start)
    assert answer.get("Content-Range") == (f"bytes {start}-{end - 1}/1024" if status == 206 else None)


def test_the_digest_is_that_of_the_whole_file_even_of_a_part(file: StoredFile) -> None:
    told = f"sha-256=:{base64.b64encode(hashlib.sha256(DATA).digest()).decode()}:"
    for headers in ({}, {"range": "bytes=1-2"}):
        answer = ask(file, headers=headers)
        assert answer["Repr-Digest"] == told
        body(answer)
    assert ask(file, "HEAD")["Repr-Digest"] == told


def test_conditions_go_before_ranges(file: StoredFile) -> None:
    tag = f'"{file.sha256}"'
    assert ask(file, headers={"range": "bytes=0-1", "if-none-match": tag}).status_code == 304
    with pytest.raises(Problem, match="precondition_failed"):
        ask(file, headers={"range": "bytes=0-1", "if-match": '"other"'})
    refused = ask(file, headers={"range": "bytes=5000-", "if-range": '"other"'})
    assert (refused.status_code, body(refused)) == (200, DATA)


@pytest.mark.parametrize("header", ["bytes=1024-", "bytes=-0", "bytes=5000-6000", "bytes=" + "9" * 30 + "-"])
def test_a_range_behind_the_end_is_416(file: StoredFile, header: str) -> None:
    answer = ask(file, range=header)
    assert answer.status_code == 416
    assert answer["Content-Range"] == "bytes */1024"
    assert json.loads(body(answer))["code"] == "range_not_satisfiable"


def test_a_head_tells_the_size_without_the_bytes(file: StoredFile) -> None:
    on_disk(file).unlink()
    answer = ask(file, "HEAD", range="bytes=0-1")
    assert (answer.status_code, answer["Content-Length"], body(answer)) == (200, "1024", b"")
    assert not on_disk(file).exists(), "nothing was fetched for it"


def test_what_the_client_has_is_304_without_a_look_at_the_bytes(file: StoredFile) -> None:
    on_disk(file).unlink()
    stored_at = file.stored_at
    assert stored_at is not None
    for headers in (
        {"if-none-match": f'"{file.sha256}"'},
        {"if-none-match": f'"other", W/"{file.sha256}"'},
        {"if-none-match": "*"},
        {"if-modified-since": http_date(stored_at.timestamp())},
    ):
        answer = ask(file, headers=headers)
        assert answer.status_code == 304
        assert answer["ETag"] == f'"{file.sha256}"'
    assert not on_disk(file).exists()


def test_what_the_client_has_not_is_sent(file: StoredFile) -> None:
    answer = ask(file, headers={"if-none-match": '"other"'})
    assert (answer.status_code, body(answer)) == (200, DATA)


def test_a_condition_that_fails_is_412(file: StoredFile) -> None:
    with pytest.raises(Problem) as caught:
        ask(file, headers={"if-match": '"other"'})
    assert caught.value.status == 412
    body(ask(file, headers={"if-match": f'"{file.sha256}"'}))


def test_if_range_gives_the_part_only_of_the_same_file(file: StoredFile) -> None:
    assert file.stored_at is not None
    same_date = http_date(file.stored_at.timestamp())
    for condition, status in (
        (f'"{file.sha256}"', 206),
        (same_date, 206),
        ('"other"', 200),
        (f'W/"{file.sha256}"', 200),
        ("Mon, 01 Jan 2035 00:00:00 GMT", 200),
        ("nonsense", 200),
    ):
        answer = ask(file, headers={"range": "bytes=0-9", "if-range": condition})
        assert answer.status_code == status
        body(answer)


def test_a_file_of_no_bytes_is_whole_and_has_no_parts(storeroom: Path) -> None:
    empty = store(b"")
    assert body(ask(empty)) == b""
    answer = ask(empty, range="bytes=0-")
    assert answer.status_code == 416
    body(answer)


def test_only_what_cannot_act_is_shown_in_place(storeroom: Path) -> None:
    shown, page = store(content_type="audio/flac"), store(content_type="text/html")
    for file, kind in ((shown, "inline"), (page, "attachment")):
        answer = ask(file, inline=True)
        assert answer["Content-Disposition"].startswith(kind)
        body(answer)


def test_confidential_files_stay_in_no_cache(storeroom: Path) -> None:
    for file, kept in ((store(is_confidential=True), "private, no-store"), (store(), "private, no-cache")):
        answer = ask(file)
        assert answer["Cache-Control"] == kept
        body(answer)


def test_without_room_on_the_disk_it_still_streams(file: StoredFile, settings: Settings) -> None:
    on_disk(file).unlink()
    settings.DISK_RESERVE_BYTES = 2**60
    whole, part = ask(file), ask(file, range="bytes=1-2")
    assert whole["Content-Length"] == str(len(DATA))
    assert (body(whole), body(part)) == (DATA, DATA[1:3])


@pytest.mark.parametrize(
    ("state", "status"), [("reserved", 404), ("abandoned", 404), ("purging", 410), ("purged", 410)]
)
def test_a_file_without_bytes_says_why_even_to_a_head(file: StoredFile, state: str, status: int) -> None:
    file.state = state
    with pytest.raises(Problem) as caught:
        ask(file, "HEAD")
    assert caught.value.status == status


def test_a_lost_file_is_410_until_its_bytes_turn_up(file: StoredFile) -> None:
    on_disk(file).unlink()
    space().delete(key=file.key)
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            body(ask(file))
        assert (caught.value.status, caught.value.code) == (410, "file_lost")
        file.refresh_from_db()
        assert file.state == "lost"
    put_in_cloud(file.key, DATA)
    assert body(ask(file)) == DATA
    file.refresh_from_db()
    assert (file.state, file.durability) == ("stored", "both")
