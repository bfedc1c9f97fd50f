"""Files received as confidential: sealed on both sides, and read like any other."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from chatvista.foundation.ciphers import FRAME_BYTES, sealed_size
from chatvista.foundation.problems import PermanentError, Problem
from storage_sync import fingerprints
from storage_sync.arriving.intake import Intake
from storage_sync.disk import verifying
from storage_sync.giving import reading, serving, sharing
from storage_sync.models import StoredFile
from storage_sync.sealing.seals import seal_of
from storage_sync.sides.local import local
from tests.storage_sync.making import WORDS, flip_a_bit, names_below, on_disk, overwrite, put_in_cloud, space, store

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = os.urandom(1024) * 3_000  # three million bytes


def secret(data: bytes = WORDS) -> StoredFile:
    return store(data, is_confidential=True)


def in_cloud(file: StoredFile) -> bytes:
    return b"".join(space().read(key=file.key))


def get(file: StoredFile, **headers: str) -> tuple[int, bytes]:
    request = RequestFactory().get("/", headers=headers)
    answer: Any = serving.respond(request, file, filename="a.flac")
    parts = getattr(answer, "streaming_content", None)
    with contextlib.closing(answer):
        return answer.status_code, answer.content if parts is None else b"".join(parts)


def everything_that_lies_about(root: Path) -> bytes:
    """Every byte below the local tree and in the bucket."""
    here = b"".join((root / name).read_bytes() for name in names_below(root))
    there, after = b"", None
    while True:
        page = space().page(after=after)
        there += b"".join(b"".join(space().read(key=found.key)) for found in page.found)
        after = page.after
        if after is None:
            return here + there


def test_what_lies_on_both_sides_is_sealed_and_what_is_read_is_not(storeroom: Path) -> None:
    file = secret()
    file.refresh_from_db()
    held = on_disk(file).read_bytes()
    assert held == in_cloud(file)
    assert (file.size, file.sealed_size, len(held)) == (len(WORDS), sealed_size(len(WORDS)), sealed_size(len(WORDS)))
    assert (file.held_sha256, file.sealed_sha256) == (fingerprints.sha256_of_path(on_disk(file)),) * 2
    assert file.sha256 != file.sealed_sha256
    assert WORDS[:20] not in everything_that_lies_about(storeroom)
    with reading.opened(file) as source:
        assert source.read() == WORDS
    assert b"".join(reading.stream(file)) == WORDS


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES])
def test_every_size_comes_back(storeroom: Path, size: int) -> None:
    file = secret(LARGE[:size])
    assert get(file) == (200, LARGE[:size])


def test_ranges_and_conditions_speak_of_what_people_uploaded(storeroom: Path) -> None:
    file = secret(LARGE)
    for first, last in ((0, 0), (65_535, 65_536), (1_000_000, 2_500_000), (len(LARGE) - 5, len(LARGE) - 1)):
        assert get(file, Range=f"bytes={first}-{last}") == (206, LARGE[first : last + 1])
    assert get(file, Range="bytes=-7") == (206, LARGE[-7:])
    assert get(file, Range=f"bytes={len(LARGE)}-")[0] == 416
    assert get(file, **{"If-None-Match": f'"{file.sha256}"'}) == (304, b"")
    head = serving.respond(RequestFactory().head("/"), file, filename="a.flac")
    assert head["Content-Length"] == str(len(LARGE))
    assert "no-store" in head["Cache-Control"]


def test_without_a_local_copy_the_range_comes_from_the_space(storeroom: Path) -> None:
    file = secret(LARGE)
    local().delete(key=file.key)
    verifying.forget_everything()
    assert get(file, Range="bytes=2000000-2000099") == (206, LARGE[2_000_000:2_000_100])
    assert get(file) == (200, LARGE)
    assert LARGE[:1024] not in everything_that_lies_about(storeroom)


def test_without_room_on_the_disk_it_streams_sealed_and_opens_on_the_way(storeroom: Path, settings: Settings) -> None:
    file = secret(LARGE)
    local().delete(key=file.key)
    settings.DISK_RESERVE_BYTES = 2**62
    assert get(file) == (200, LARGE)
    assert get(file, Range="bytes=65500-70000") == (206, LARGE[65_500:70_001])
    assert not on_disk(file).exists()


def test_a_damaged_byte_on_one_side_is_healed_on_both_an_error(storeroom: Path) -> None:
    file = secret()
    right = on_disk(file).read_bytes()
    overwrite(on_disk(file), flip_a_bit(right, 300))
    verifying.forget_everything()
    assert get(file) == (200, WORDS)
    assert on_disk(file).read_bytes() == right
    overwrite(on_disk(file), flip_a_bit(right, 300))
    put_in_cloud(file.key, flip_a_bit(right, 300))
    verifying.forget_everything()
    with pytest.raises(Problem) as refused:
        get(StoredFile.objects.get(pk=file.pk))
    assert (refused.value.code, refused.value.status) == ("file_lost", 410)


def test_links_come_through_us_and_carry_the_plaintext(storeroom: Path, settings: Settings) -> None:
    link = urlsplit(sharing.link(secret(), filename="a.flac"))
    assert f"{link.scheme}://{link.netloc}" == settings.PUBLIC_URL
    answer = Client().get(f"{link.path}?{link.query}", headers={"Range": "bytes=4-10"})
    assert b"".join(answer.streaming_content) == WORDS[4:11]  # type: ignore[attr-defined]  # of the streamed kind


def test_what_came_is_what_limits_and_digests_are_about(storeroom: Path) -> None:
    with Intake(category="recordings", largest=len(WORDS), announced_size=len(WORDS), is_confidential=True) as intake:
        intake.write(WORDS[:1000])
        intake.write(WORDS[1000:])
        landed = intake.land()
        assert (landed.size, landed.fingerprint.size) == (len(WORDS), sealed_size(len(WORDS)))
        assert WORDS[:20] not in landed.path.read_bytes()
        with landed.opened() as source:
            assert source.read() == WORDS
    with Intake(category="recordings", largest=10**6, expected_sha256="0" * 64, is_confidential=True) as intake:
        intake.write(WORDS)
        with pytest.raises(Problem, match="digest_mismatch"):
            intake.land()


def test_every_file_has_a_key_of_its_own_that_opens_nothing_else(storeroom: Path) -> None:
    one, two = secret(), secret()
    first, second = seal_of(one), seal_of(two)
    assert first is not None
    assert second is not None
    assert first.key != second.key
    StoredFile.objects.filter(pk=one.pk).update(sealed_key=two.sealed_key)
    with pytest.raises(PermanentError, match="encryption_key_damaged"):
        seal_of(StoredFile.objects.get(pk=one.pk))


def test_without_the_key_it_is_sealed_under_a_file_is_unreadable_and_says_so(
    storeroom: Path, settings: Settings
) -> None:
    file, old = secret(), settings.ENCRYPTION_KEY
    settings.ENCRYPTION_KEY = os.urandom(32)
    with pytest.raises(Problem) as refused:
        get(file)
    assert (refused.value.code, refused.value.status) == ("file_unreadable", 503)
    with pytest.raises(Problem, match="file_unreadable"):
        next(reading.stream(file, start=5, length=5))
    settings.ENCRYPTION_KEY_PREVIOUS = (old,)
    assert get(file) == (200, WORDS)
