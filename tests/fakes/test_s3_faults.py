"""The failing Space itself: real boto3 through it to the real S3 server, each fault as a client meets it."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings as configured

from storage_sync.sides.connecting import configured_space, new_client
from tests.fakes.s3_control import RemoteSpace
from tests.fakes.s3_faults import Fault, FaultySpace

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings
    from types_boto3_s3 import S3Client

BYTES = bytes(range(256)) * 1200
MD5 = hashlib.md5(BYTES).hexdigest()


@pytest.fixture
def space(settings: Settings) -> Iterator[FaultySpace]:
    settings.SPACES_BUCKET = f"faults-{uuid.uuid4().hex[:16]}"
    with FaultySpace(settings.SPACES_ENDPOINT) as space:
        settings.SPACES_ENDPOINT = space.url
        yield space


@pytest.fixture
def client(space: FaultySpace) -> Iterator[S3Client]:
    """One request is one request: it repeats none."""
    where = configured_space()
    assert where is not None
    client = new_client(where, attempts=1, read=5)
    client.create_bucket(Bucket=where.bucket)
    space.forget()
    yield client
    space.mend()
    for item in client.list_objects_v2(Bucket=where.bucket).get("Contents", []):
        client.delete_object(Bucket=where.bucket, Key=item["Key"])
    client.delete_bucket(Bucket=where.bucket)
    client.close()


def put(client: S3Client, key: str = "a/b.bin", body: bytes = BYTES) -> Any:
    return client.put_object(Bucket=configured.SPACES_BUCKET, Key=key, Body=body)


def get(client: S3Client, key: str = "a/b.bin") -> bytes:
    return client.get_object(Bucket=configured.SPACES_BUCKET, Key=key)["Body"].read()


def keys(client: S3Client, **more: Any) -> list[str]:
    found = client.list_objects_v2(Bucket=configured.SPACES_BUCKET, **more)
    assert found["IsTruncated"] is False
    return [item["Key"] for item in found.get("Contents", [])]


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_without_faults_everything_passes_and_is_counted(space: FaultySpace, client: S3Client) -> None:
    assert put(client)["ETag"].strip('"') == MD5
    assert get(client) == BYTES
    part = client.get_object(Bucket=configured.SPACES_BUCKET, Key="a/b.bin", Range="bytes=10-19")["Body"].read()
    assert part == BYTES[10:20]
    assert keys(client) == ["a/b.bin"]
    assert client.head_object(Bucket=configured.SPACES_BUCKET, Key="a/b.bin")["ContentLength"] == len(BYTES)
    methods = [one.target.method for one in space.requests()]
    assert methods == ["PUT", "GET", "GET", "GET", "HEAD"]
    assert space.requests("PUT", "^a/")[0].sent == len(BYTES)
    assert [one.range for one in space.requests("GET", "b.bin")] == ["", "bytes=10-19"]
    assert len(space.requests(listing=True)) == 1


def test_a_multipart_upload_passes_and_its_parts_can_be_told_apart(space: FaultySpace, client: S3Client) -> None:
    where: Any = {"Bucket": configured.SPACES_BUCKET, "Key": "big.bin"}
    upload = client.create_multipart_upload(**where)["UploadId"]
    space.inject(Fault("slow_down", query={"partNumber": "2"}))
    part = b"x" * 5 * 1024 * 1024
    parts: list[Any] = []
    for number in (1, 2):
        asked: Any = {**where, "UploadId": upload, "PartNumber": number, "Body": part}
        if number == 2:
            with pytest.raises(ClientError) as error:
                client.upload_part(**asked)
            assert code_of(error) == "SlowDown"
        parts.append({"PartNumber": number, "ETag": client.upload_part(**asked)["ETag"]})
    client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    assert hashlib.sha256(get(client, "big.bin")).digest() == hashlib.sha256(part * 2).digest()


def test_slow_down_hurts_the_matching_requests_as_often_as_it_was_told_to(space: FaultySpace, client: S3Client) -> None:
    space.inject(Fault("slow_down", method="PUT", key=r"^a/", nth=2, times=2))
    for key in ("a/1", "b/1"):
        put(client, key)
    for key in ("a/2", "a/3"):
        with pytest.raises(ClientError) as error:
            put(client, key)
        assert code_of(error) == "SlowDown"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert error.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    put(client, "a/4")
    assert keys(client) == ["a/1", "a/4", "b/1"]
    assert [one.fault for one in space.requests("PUT", status=503)] == ["slow_down", "slow_down"]


def test_any_refusal_can_be_asked_for(space: FaultySpace, client: S3Client) -> None:
    space.inject(Fault("refuse", listing=True, status=403, code="AccessDenied", times=0))
    for _ in range(3):
        with pytest.raises(ClientError) as error:
            keys(client)
        assert code_of(error) == "AccessDenied"


@pytest.mark.parametrize("fault", [Fault("reset"), Fault("reset_in_request", at=1000)])
def test_a_request_that_is_reset_leaves_nothing(space: FaultySpace, client: S3Client, fault: Fault) -> None:
    space.inject(fault)
    with pytest.raises(BotoCoreError):
        put(client)
    assert keys(client) == []
    put(client)
    assert get(client) == BYTES


@pytest.mark.parametrize("kind", ["reset_in_answer", "short_read"])
def test_an_answer_can_break_off(space: FaultySpace, client: S3Client, kind: Any) -> None:
    put(client)
    space.inject(Fault(kind, method="GET", at=100_000))
    body = client.get_object(Bucket=configured.SPACES_BUCKET, Key="a/b.bin")["Body"]
    taken: list[bytes] = []
    with pytest.raises(Exception, match=r"(?i)broken|reset|incomplete|read"):
        taken.extend(body.iter_chunks(10_000))
    assert BYTES.startswith(b"".join(taken))
    assert len(b"".join(taken)) <= 100_000
    assert get(client) == BYTES


def test_an_answer_can_be_lost_although_the_deed_was_done(space: FaultySpace, client: S3Client) -> None:
    space.inject(Fault("answer_lost", method="PUT"), Fault("answer_held", method="DELETE", seconds=0.5))
    with pytest.raises(BotoCoreError):
        put(client)
    assert get(client) == BYTES
    with pytest.raises(BotoCoreError):
        client.delete_object(Bucket=configured.SPACES_BUCKET, Key="a/b.bin")
    assert keys(client) == []


def test_what_hangs_ends_when_it_is_mended(space: FaultySpace, client: S3Client) -> None:
    space.inject(Fault("hang", method="PUT", seconds=60))
    threading.Timer(0.5, space.mend).start()
    began = time.monotonic()
    with pytest.raises(BotoCoreError):
        put(client)
    assert time.monotonic() - began < 5
    assert keys(client) == []


def test_a_delayed_request_comes_through(space: FaultySpace, client: S3Client) -> None:
    space.inject(Fault("delay", seconds=0.3))
    began = time.monotonic()
    put(client)
    assert time.monotonic() - began >= 0.3
    assert get(client) == BYTES


def test_one_bit_can_flip_in_either_direction(space: FaultySpace, client: S3Client) -> None:
    space.inject(Fault("flip_request", method="PUT", at=70_000), Fault("flip_answer", method="GET", at=5))
    changed = put(client)["ETag"].strip('"') != MD5
    damaged = get(client)
    assert changed
    assert [at for at in range(len(BYTES)) if damaged[at] != BYTES[at]] == [5, 70_000]
    assert damaged[70_000] ^ BYTES[70_000] == 1


def test_listings_can_lie(space: FaultySpace, client: S3Client) -> None:
    for number in range(5):
        put(client, f"k/{number}", b"x")
    space.inject(Fault("empty_listing"), Fault("truncated_listing", nth=1, at=2))
    assert keys(client) == []
    assert keys(client) == ["k/0", "k/1"]
    assert len(keys(client)) == 5


def test_an_etag_can_be_another(space: FaultySpace, client: S3Client) -> None:
    put(client)
    space.inject(Fault("etag", times=2))
    where: Any = {"Bucket": configured.SPACES_BUCKET, "Key": "a/b.bin"}
    assert client.head_object(**where)["ETag"].strip('"') != MD5
    listed = client.list_objects_v2(Bucket=configured.SPACES_BUCKET)["Contents"]
    assert listed[0]["ETag"].strip('"') != MD5
    assert client.head_object(**where)["ETag"].strip('"') == MD5


def test_a_space_that_is_down_refuses_connections_and_comes_back_on_its_port(
    space: FaultySpace, client: S3Client
) -> None:
    put(client)
    with space.away():
        with pytest.raises(BotoCoreError):
            get(client)
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", space.port), timeout=5):
            """Nobody listens."""
    assert get(client) == BYTES


def test_connections_are_kept_and_bodies_of_chunks_pass(space: FaultySpace) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", space.port, timeout=10)
    for _ in range(3):
        connection.request("PUT", "/nobody/x", body=iter([b"a" * 10, b"b" * 70_000]), encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        # Unsigned: the real server answers, and it has read all of the body.
        assert answer.status in {400, 403, 404}
        assert connection.sock is not None
    assert len({one.sent for one in space.requests("PUT")}) == 1
    assert space.requests("PUT")[0].sent == 70_010
    connection.close()


def test_it_runs_as_a_process_of_its_own(settings: Settings) -> None:
    command = [sys.executable, "-m", "tests.fakes.s3_faults", "--upstream", settings.SPACES_ENDPOINT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            space = RemoteSpace(told["control"])
            space.inject(Fault("refuse", status=418, code="Teapot", query={"x": None}))
            connection = http.client.HTTPConnection("127.0.0.1", int(told["url"].rpartition(":")[2]), timeout=10)
            connection.request("GET", "/bucket/key?x=1")
            answer = connection.getresponse()
            assert (answer.status, b"Teapot" in answer.read()) == (418, True)
            connection.close()
            assert [(one["method"], one["key"], one["fault"]) for one in space.seen()] == [("GET", "key", "refuse")]
            space.mend()
            space.down()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", int(told["url"].rpartition(":")[2])), timeout=5)
        finally:
            process.kill()
