"""Digests of blocks, and parts of a file verified by them: from a damaged disk, from a Space that misbehaves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem
from storage_sync import fingerprints
from storage_sync.damage import healing
from storage_sync.disk import blocks, verifying
from storage_sync.disk.blocks import BlockDamagedError, Digesting, Part
from storage_sync.giving import reading
from storage_sync.models import BlockDigests, Copy, StoredFile
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.storage_sync.making import (
    flip_a_bit,
    names_below,
    on_disk,
    overwrite,
    put_in_cloud,
    space,
    state_of_copies,
    store,
)

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def data() -> bytes:
    return os.urandom(9 * MIB + 4321)


@pytest.fixture
def file(storeroom: Path, data: bytes) -> StoredFile:
    """A large file whose blocks are known, which this process has not verified."""
    made = store(data)
    reading.local_path(made)
    assert BlockDigests.objects.filter(file=made).exists()
    verifying.forget_everything()
    return made


def part(file: StoredFile, start: int, length: int) -> bytes:
    return b"".join(reading.stream(file, start=start, length=length))


PARTS = [(0, 10), (MIB - 5, 10), (5, 3 * MIB), (9 * MIB, 4321), (9 * MIB + 4320, 1), (4 * MIB, MIB), (9 * MIB, 10**9)]


def test_digests_are_those_of_every_mebibyte(data: bytes) -> None:
    taking = Digesting()
    for at in range(0, len(data), 700_001):
        taking.update(data[at : at + 700_001])
    expected = b"".join(hashlib.sha256(data[at : at + MIB]).digest() for at in range(0, len(data), MIB))
    assert taking.result() == expected
    assert Digesting().result() == b""


@pytest.mark.parametrize("start_length", PARTS)
def test_a_part_of_an_unverified_file_is_read_without_the_rest(
    file: StoredFile, data: bytes, start_length: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    start, length = start_length

    def refuse(path: Path) -> str:
        raise AssertionError("the whole file was read")

    monkeypatch.setattr(fingerprints, "sha256_of_path", refuse)
    monkeypatch.setattr(blocks, "of_path", refuse)
    assert part(file, start, length) == data[start : start + length]


@pytest.mark.parametrize("start_length", PARTS)
def test_a_part_of_a_file_that_is_not_here_comes_alone(
    file: StoredFile, data: bytes, start_length: tuple[int, int], faulty: FaultySpace, storeroom: Path
) -> None:
    start, length = start_length
    on_disk(file).unlink()
    assert part(file, start, length) == data[start : start + length]
    [asked] = faulty.requests("GET", file.key)
    first, last = (int(end) for end in asked.range.removeprefix("bytes=").split("-"))
    assert last - first < min(length, len(data)) + 2 * MIB
    assert names_below(storeroom) == []


def test_a_small_file_or_one_without_digests_is_fetched_as_a_whole(
    file: StoredFile, data: bytes, storeroom: Path
) -> None:
    on_disk(file).unlink()
    BlockDigests.objects.all().delete()
    assert part(file, 5, 10) == data[5:15]
    assert names_below(storeroom) == [file.key]
    assert BlockDigests.objects.filter(file=file).exists()


@pytest.mark.parametrize("at", [3, 5 * MIB])
def test_a_flipped_bit_on_the_disk_is_seen_and_healed_even_midway(file: StoredFile, data: bytes, at: int) -> None:
    overwrite(on_disk(file), flip_a_bit(data, at))
    assert part(file, 0, 6 * MIB) == data[: 6 * MIB]
    assert on_disk(file).read_bytes() == data
    assert state_of_copies(file) == {"local": "present", "cloud": "present"}


def test_a_flipped_bit_outside_the_part_does_not_matter_to_it(file: StoredFile, data: bytes) -> None:
    overwrite(on_disk(file), flip_a_bit(data, 8 * MIB))
    assert part(file, 0, MIB) == data[:MIB]


def test_a_truncated_disk_copy_is_healed(file: StoredFile, data: bytes) -> None:
    overwrite(on_disk(file), data[: 5 * MIB + 3])
    assert part(file, 4 * MIB, 2 * MIB) == data[4 * MIB : 6 * MIB]
    assert on_disk(file).read_bytes() == data


def test_a_bit_flipped_on_the_way_is_asked_for_again(file: StoredFile, data: bytes, faulty: FaultySpace) -> None:
    on_disk(file).unlink()
    faulty.inject(Fault("flip_answer", method="GET", key=file.key, at=MIB + 5))
    assert part(file, 0, 3 * MIB) == data[: 3 * MIB]
    assert len(faulty.requests("GET", file.key)) == 2


def test_a_short_read_is_taken_up_where_it_ended(file: StoredFile, data: bytes, faulty: FaultySpace) -> None:
    on_disk(file).unlink()
    faulty.inject(Fault("short_read", method="GET", key=file.key, at=MIB + 5))
    assert part(file, 0, 3 * MIB) == data[: 3 * MIB]


def test_a_damaged_object_gives_no_byte_and_is_put_aside(file: StoredFile, data: bytes) -> None:
    Copy.objects.filter(file=file, side="local").update(node="another")
    on_disk(file).unlink()
    put_in_cloud(file.key, flip_a_bit(data, 2 * MIB + 1))
    with pytest.raises(Problem, match="storage_unavailable"):
        part(file, 2 * MIB, 10)
    copy = Copy.objects.get(file=file, side="cloud")
    assert (copy.state, copy.lease_token, copy.next_attempt_at is not None) == ("corrupt", None, True)
    assert StoredFile.objects.get().state == "stored"


def test_damage_met_midway_ends_the_stream(file: StoredFile, data: bytes) -> None:
    on_disk(file).unlink()
    put_in_cloud(file.key, flip_a_bit(data, 4 * MIB + 1))
    got = bytearray()

    def take() -> None:
        for chunk in reading.stream(file, start=5, length=6 * MIB):
            got.extend(chunk)

    with pytest.raises(BlockDamagedError):
        take()
    assert bytes(got) == data[5 : 4 * MIB]


def test_wrong_digests_condemn_nothing_and_are_replaced(file: StoredFile, data: bytes) -> None:
    row = BlockDigests.objects.get(file=file)
    row.digests = bytes(len(row.digests))
    row.save()
    assert part(file, 0, 10) == data[:10]
    assert on_disk(file).exists()
    assert state_of_copies(file) == {"local": "present", "cloud": "present"}


def test_digests_of_other_bytes_are_not_kept(file: StoredFile) -> None:
    BlockDigests.objects.all().delete()
    blocks.keep(file=file, digests=b"x" * 32)
    blocks.keep(file=StoredFile(pk=file.pk, size=file.size, sha256="0" * 64, md5=file.md5), digests=b"x" * 320)
    assert not BlockDigests.objects.exists()
    blocks.keep(file=file, digests=b"x" * 320)
    assert BlockDigests.objects.count() == 1


@pytest.mark.parametrize("opens", [reading.opened, reading.held])
def test_without_room_a_file_is_still_read_anywhere(
    file: StoredFile, data: bytes, settings: Settings, opens: Callable[[StoredFile], Any], storeroom: Path
) -> None:
    on_disk(file).unlink()
    settings.DISK_RESERVE_BYTES = 2**60
    with opens(file) as source:
        for start, length in ((0, 100), (5 * MIB, 2 * MIB), (10, 5), (len(data) - 7, 100)):
            source.seek(start)
            assert source.read(length) == data[start : start + length]
        assert source.seek(-3, os.SEEK_END) == len(data) - 3
        assert source.read() == data[-3:]
        source.seek(0)
        assert source.read() == data
    assert names_below(storeroom) == []


@given(
    size=st.integers(1, 5000),
    span=st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
    cut=st.integers(1, 900),
    damage=st.integers(-2, 5000),
)
def test_any_part_is_exact_or_an_error(size: int, span: tuple[int, int], cut: int, damage: int) -> None:
    start, end = sorted(min(size, place) for place in span)
    if start == end:
        return
    content = hashlib.shake_128(bytes([size % 256])).digest(size)
    with pytest.MonkeyPatch.context() as small:
        small.setattr(blocks, "BLOCK_BYTES", 512)
        digests = [hashlib.sha256(content[at : at + 512]).digest() for at in range(0, size, 512)]
        first, last = start // 512, (end - 1) // 512
        wanted = Part(start, end, size, first, tuple(digests[first : last + 1]))
        held = flip_a_bit(content, damage) if 0 <= damage < size else content
        lies = held[wanted.begins_at : wanted.ends_at]
        chunks = (lies[at : at + cut] for at in range(0, len(lies), cut))
        if wanted.begins_at <= damage < wanted.ends_at:
            with pytest.raises(BlockDamagedError):
                list(blocks.checked(chunks=chunks, part=wanted))
        else:
            assert b"".join(blocks.checked(chunks=chunks, part=wanted)) == content[start:end]


def test_an_object_replaced_after_it_was_read_is_not_condemned(file: StoredFile) -> None:
    side = space()
    healing.condemn_in_cloud(file=file, side=side, etag="of another object")
    assert side.head(key=file.key) is not None
    copy = Copy.objects.get(file=file, side="cloud")
    assert (copy.state, copy.next_attempt_at is not None) == ("corrupt", True)
