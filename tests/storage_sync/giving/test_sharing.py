"""Links: from the Space's origin, or signed by us; for a while, for one file, under one name."""

from __future__ import annotations

import datetime as dt
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from storage_sync.giving import sharing
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import archiving
from tests.storage_sync.making import WORDS, store

pytestmark = pytest.mark.django_db
HOSTILE = 'Протокол "1"\r\nSet-Cookie: x=1/../.pdf'


def fetch(link: str) -> tuple[int, bytes, str]:
    parts = urlsplit(link)
    answer = Client().get(f"{parts.path}?{parts.query}")
    content = b"".join(answer) if isinstance(answer, StreamingHttpResponse) else answer.content
    return answer.status_code, content, answer.get("Content-Disposition", "")


def test_a_link_to_the_space_downloads_under_the_name(storeroom: Path, settings: Settings) -> None:
    link = sharing.link(store(), filename=HOSTILE)
    assert link.startswith(settings.SPACES_ENDPOINT)
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == [str(settings.LINK_SECONDS)]
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == WORDS


def test_a_changed_link_to_the_space_gives_nothing(storeroom: Path) -> None:
    file, other = store(), store(b"another")
    link = sharing.link(file, filename="a.flac").replace(file.key, other.key)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(link)
    assert caught.value.code == 403
    caught.value.close()


def test_without_a_cloud_the_link_is_ours(storeroom: Path, settings: Settings) -> None:
    settings.SPACES_ENDPOINT = ""
    link = sharing.link(store(), filename=HOSTILE)
    assert link.startswith(f"{settings.PUBLIC_URL}/api/v1/files/")
    status, content, disposition = fetch(link)
    assert (status, content) == (200, WORDS)
    assert disposition.startswith("attachment;")
    assert "\r" not in disposition


def test_confidential_files_and_those_the_space_lacks_come_through_us(storeroom: Path, settings: Settings) -> None:
    confidential, local_only = store(is_confidential=True), store()
    Copy.objects.filter(file=local_only, side="cloud").update(state="missing")
    for file in (confidential, local_only):
        link = sharing.link(file, filename="a.flac")
        assert link.startswith(settings.PUBLIC_URL)
        assert fetch(link)[:2] == (200, WORDS)


def ours(file: StoredFile, seconds: int = 60) -> str:
    Copy.objects.filter(file=file, side="cloud").update(state="missing")  # the Space can sign none
    return sharing.link(file, filename="a.flac", seconds=seconds)


def test_a_link_expires(storeroom: Path) -> None:
    link = ours(store())
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=59), tick=False):
        assert fetch(link)[0] == 200
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=62), tick=False):
        status, content, _ = fetch(link)
    assert status == 403
    assert b"link_expired" in content


@pytest.mark.parametrize("token", ["", "x", "a.b", "....", "é", "e30.e30", "a" * 9000])
def test_a_made_up_token_gives_nothing(storeroom: Path, token: str) -> None:
    file = store()
    answer = Client().get(f"/api/v1/files/{file.pk}/download", {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (403, "link_invalid")


def test_a_token_of_another_file_gives_nothing(storeroom: Path) -> None:
    file, other = store(), store()
    link = ours(file).replace(str(file.pk), str(other.pk))
    assert b"link_invalid" in fetch(link)[1]
    missing = ours(file).replace(str(file.pk), str(uuid.uuid4()))
    assert fetch(missing)[0] == 403


def test_a_link_to_an_archived_file_gives_nothing_until_it_is_restored(storeroom: Path) -> None:
    file = store()
    link = ours(file)
    archiving.archive(file)
    assert fetch(link)[0] == 404
    archiving.restore(file)
    assert fetch(link)[0] == 200


def test_our_link_gives_parts_and_heads_and_says_what_it_gives(storeroom: Path) -> None:
    file = store()
    parts = urlsplit(ours(file))
    where = f"{parts.path}?{parts.query}"
    head = Client().head(where)
    assert (head.status_code, head["Content-Length"], head.content) == (200, str(file.size), b"")
    some = Client().get(where, headers={"range": "bytes=4-9"})
    assert (some.status_code, b"".join(cast("Iterable[bytes]", some))) == (206, WORDS[4:10])
    assert Client().get(where, headers={"if-none-match": head["ETag"]}).status_code == 304
    assert Client().get(where, headers={"range": f"bytes={file.size}-"}).status_code == 416
    assert Client().post(where).status_code == 405


def test_no_part_of_a_token_can_be_changed(storeroom: Path) -> None:
    file = store()
    parts = urlsplit(ours(file))
    token = parse_qs(parts.query)["token"][0]
    for at in range(0, len(token), max(1, len(token) // 40)):
        letter = "A" if token[at] != "A" else "B"
        answer = Client().get(parts.path, {"token": token[:at] + letter + token[at + 1 :]})
        # The last letter of base64 has bits that say nothing.
        assert answer.status_code == 403 or at == len(token) - 1


def test_a_legal_hold_keeps_a_file_and_does_not_hide_it(storeroom: Path) -> None:
    file = store()
    link = ours(file)
    StoredFile.objects.filter(pk=file.pk).update(has_legal_hold=True)
    assert fetch(link)[:2] == (200, WORDS)


def test_a_link_to_the_space_dies_with_its_key_once_the_longest_link_has_expired(
    storeroom: Path, settings: Settings
) -> None:
    file = store()
    link = sharing.link(file, filename="a.flac", seconds=10 * settings.LINK_SECONDS)
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == [str(settings.LINK_SECONDS)], "no link outlives the key"
    archiving.archive(file)
    archiving.move_archived()
    StoredFile.objects.filter(pk=file.pk).update(other_key_until=timezone.now() - dt.timedelta(seconds=1))
    archiving.move_archived()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(link)
    assert caught.value.code == 404
    caught.value.close()
