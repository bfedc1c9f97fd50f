"""Links through the CDN, proven against an S3 server that knows buckets by their host names and checks signatures."""

from __future__ import annotations

import http.client
import http.server
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.httpsession import URLLib3Session
from django.core.checks import run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from chatvista.embedded.wheels import rclone
from storage_sync.giving import sharing
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import archiving
from storage_sync.sides.bulk import bulk
from tests.storage_sync.making import WORDS, space, store

pytestmark = pytest.mark.django_db
CDN = "https://chatvista.fra1.cdn.digitaloceanspaces.com"
ORIGIN = "storeroom.fra1.origin.test"


class Cdn(http.server.ThreadingHTTPServer):
    """A CDN in small: it asks the origin under the origin's own name, whatever name it is asked by."""

    def __init__(self, *, origin: tuple[str, int]) -> None:
        self.origin = origin
        super().__init__(("127.0.0.1", 0), Forwarding)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Forwarding(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        connection = http.client.HTTPConnection(*cast("Cdn", self.server).origin, timeout=10)
        try:
            connection.request("GET", self.path, headers={"Host": ORIGIN})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


@dataclass(frozen=True)
class Sent:
    """A request that went to the Space."""

    method: str
    key: str
    query: str
    headers: dict[str, str]

    @property
    def acl(self) -> str:
        return self.headers.get("x-amz-acl", "")

    @property
    def kept(self) -> str:
        return self.headers.get("cache-control", "")

    @property
    def is_copy(self) -> bool:
        return "x-amz-copy-source" in self.headers

    @property
    def begins_an_object(self) -> bool:
        return not self.is_copy and ((self.method, self.query) in {("PUT", ""), ("POST", "uploads")})


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """What every client of this process sends, as it is sent."""
    seen: list[Sent] = []
    honest = URLLib3Session.send

    def send(session: Any, request: Any) -> Any:
        url = urlsplit(request.url)
        read = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        seen.append(Sent(request.method, url.path.split("/", 2)[2] if url.path.count("/") > 1 else "", url.query, read))
        return honest(session, request)

    monkeypatch.setattr(URLLib3Session, "send", send)
    return seen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def origin(settings: Settings, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A server of the bucket `storeroom` that finds it by the host it is asked for."""
    (tmp_path / "buckets" / "storeroom").mkdir(parents=True)
    address = "127.0.0.1", free_port()
    auth = f"{settings.SPACES_ACCESS_KEY},{settings.SPACES_SECRET_KEY}"
    command = [str(rclone()), "serve", "s3", str(tmp_path / "buckets"), "--addr", f"127.0.0.1:{address[1]}"]
    with subprocess.Popen(
        [*command, "--auth-key", auth, "--force-path-style=false", "--config", "", "-q"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(address) == 0:
                    break
            time.sleep(0.05)
        yield address
        server.terminate()


@pytest.fixture
def cdn(origin: tuple[str, int]) -> Iterator[Cdn]:
    server = Cdn(origin=origin)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def named_by_host(settings: Settings, cdn: str) -> None:
    """As in production: the bucket's name is part of the host."""
    settings.SPACES_CDN_ENDPOINT = cdn
    settings.SPACES_ADDRESSING = "virtual"
    spaces = settings.STORAGES["spaces"]
    options = {
        **spaces["OPTIONS"],
        "endpoint_url": "http://fra1.origin.test",
        "bucket_name": "storeroom",
        "addressing_style": "virtual",
    }
    settings.STORAGES = {**settings.STORAGES, "spaces": {**spaces, "OPTIONS": options}}


def fetch(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_link_through_the_cdn_is_signed_for_the_origin(
    storeroom: Path, settings: Settings, tmp_path: Path, cdn: Cdn
) -> None:
    file = store()
    there = tmp_path / "buckets" / "storeroom" / file.key
    there.parent.mkdir(parents=True)
    there.write_bytes(WORDS)
    named_by_host(settings, cdn.url)
    assert urlsplit(sharing.link(file, filename="a.flac")).netloc == ORIGIN
    settings.CDN_CATEGORIES = ["recordings"]
    link = sharing.link(file, filename="a.flac")
    assert link.startswith(f"{cdn.url}/{file.key}?")
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == [str(settings.LINK_SECONDS)]
    assert fetch(link) == (200, WORDS)
    assert fetch(link.replace("X-Amz-Expires=900", "X-Amz-Expires=901"))[0] == 403
    assert fetch(link.partition("?")[0])[0] in {400, 403}


def test_only_the_chosen_categories_and_nothing_confidential_go_through_the_cdn(
    storeroom: Path, settings: Settings
) -> None:
    recording, export = store(), store(category="exports")
    named_by_host(settings, CDN)
    settings.CDN_CATEGORIES = ["exports"]
    assert sharing.link(export, filename="a").startswith(CDN)
    assert urlsplit(sharing.link(recording, filename="a")).netloc == ORIGIN
    export.is_confidential = True
    assert sharing.link(export, filename="a").startswith(settings.PUBLIC_URL)


def test_with_the_bucket_in_the_path_a_link_stays_the_origins(storeroom: Path, settings: Settings) -> None:
    settings.CDN_CATEGORIES, settings.SPACES_CDN_ENDPOINT = ["recordings"], CDN
    assert sharing.link(store(), filename="a").startswith(settings.SPACES_ENDPOINT)


def test_a_category_that_is_none_stops_the_boot(settings: Settings) -> None:
    settings.CDN_CATEGORIES, settings.SPACES_CDN_ENDPOINT = ["recordings", "letters"], CDN
    assert {"storage_sync.E003", "storage_sync.W001"} <= {str(found.id) for found in run_checks()}
    settings.CDN_CATEGORIES, settings.SPACES_ADDRESSING = ["recordings"], "virtual"
    assert not [found for found in run_checks() if found.id in {"storage_sync.E003", "storage_sync.W001"}]


class TestAvatars:
    def test_they_are_public_and_for_ever(self, storeroom: Path, settings: Settings) -> None:
        settings.SPACES_CDN_ENDPOINT = f"{CDN}/"
        file = store(category="avatars", content_type="image/png", extension="png")
        assert sharing.is_public(file)
        assert sharing.public_url(file) == f"{CDN}/{file.key}"
        assert default_storage.url(file.key) == f"{CDN}/{file.key}"

    def test_without_a_cdn_or_before_the_space_has_them_there_is_a_link(
        self, storeroom: Path, settings: Settings
    ) -> None:
        file = store(category="avatars")
        assert "X-Amz-Signature" in sharing.public_url(file)
        settings.SPACES_CDN_ENDPOINT = CDN
        Copy.objects.filter(file=file, side="cloud").update(state="pending")
        assert sharing.public_url(file).startswith(settings.PUBLIC_URL)

    def test_nothing_else_is_public(self, storeroom: Path) -> None:
        recording, confidential, archived = store(), store(category="avatars"), store(category="avatars")
        confidential.is_confidential = True
        archiving.archive(archived)
        for file in (recording, confidential, archived):
            assert not sharing.is_public(file)
            with pytest.raises(ValueError, match="not public"):
                sharing.public_url(file)

    @pytest.mark.parametrize("size", [100, 17 * 1024 * 1024])
    def test_the_space_is_told_when_they_are_put_and_never_of_anything_else(
        self, storeroom: Path, sent: list[Sent], size: int
    ) -> None:
        avatar, recording = store(b"a" * size, category="avatars"), store(b"r" * size)
        begun = {(one.key, one.acl, one.kept) for one in sent if one.begins_an_object}
        assert begun == {(avatar.key, "public-read", "public, max-age=31536000, immutable"), (recording.key, "", "")}

    def test_made_again_by_the_engine_they_are_public(self, storeroom: Path, sent: list[Sent], tmp_path: Path) -> None:
        path = tmp_path / "avatar"
        path.write_bytes(b"png")
        for number in (1, 2):
            key = f"avatars/2026/11/one/{number}.png"
            side = bulk()
            assert side is not None
            if number == 1:
                side.put_bytes(key=key, data=b"png", content_type="image/png")
            else:
                side.put_in_parts(key=key, path=path, content_type="image/png")
            assert [one.acl for one in sent if one.key == key and one.begins_an_object] == ["public-read"]
            assert b"".join(side.read(key=key)) == b"png"

    def test_archived_they_are_private_and_restored_public_again(self, storeroom: Path, sent: list[Sent]) -> None:
        name = default_storage.save("avatars/me.png", ContentFile(b"png"))
        file = StoredFile.objects.get()
        sent.clear()
        archiving.archive(file)
        archiving.move_archived()
        archiving.restore(file)
        space().delete(key=name)
        archiving.move_archived()
        copied = [(one.key, one.acl) for one in sent if one.is_copy]
        assert copied == [(f"archive/{name}", ""), (name, "public-read")]
