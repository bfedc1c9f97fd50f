"""Scrubbing: the longest unread first, within bounds, and damage found by its bytes alone is put aside and due."""

from __future__ import annotations

import datetime as dt
import errno
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from storage_sync.inspecting import mending, scrubbing
from storage_sync.inspecting.scrubbing import Slice, scrub
from storage_sync.models import BlockDigests, Copy, Inspection, StoredFile
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.contract import MissingObjectError
from storage_sync.sides.local import LocalSide
from storage_sync.vocabulary import SideName
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.storage_sync.inspecting.running import audited, some
from tests.storage_sync.making import (
    WORDS,
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
ALL = Slice(rate=None)


def verified(file: StoredFile, side: str) -> dt.datetime:
    at = Copy.objects.get(file=file, side=side).verified_at
    assert at is not None
    return at


def unread_since(file: StoredFile, *, days: float) -> None:
    Copy.objects.filter(file=file).update(verified_at=timezone.now() - dt.timedelta(days=days))


def test_every_byte_is_read_and_its_proof_renewed(storeroom: Path) -> None:
    files = some()
    for file in files:
        unread_since(file, days=3)
    inspection = scrub(ALL)
    assert inspection.verdicts == {"local": {"agree": 3}, "cloud": {"agree": 3}}
    assert inspection.bytes_read == 2 * sum(file.size for file in files)
    assert all(verified(file, side) > file.created_at for file in files for side in ("local", "cloud"))
    assert Inspection.objects.get().finished_at is not None
    assert not Copy.objects.filter(lease_token__isnull=False).exists()


@pytest.mark.parametrize("side", ["local", "cloud"])
def test_a_flipped_bit_is_found_put_aside_and_due(storeroom: Path, side: str) -> None:
    file, *_ = some()
    bad = flip_a_bit(WORDS + bytes([0]))
    if side == "local":
        overwrite(on_disk(file), bad)
    else:
        put_in_cloud(file.key, bad)
    inspection = scrub(ALL)
    assert inspection.verdicts[side] == {"agree": 2, "damaged": 1}
    other = "cloud" if side == "local" else "local"
    assert state_of_copies(file) == {side: "corrupt", other: "present"}
    assert Copy.objects.get(file=file, side=side).next_attempt_at is not None
    if side == "local":
        assert not on_disk(file).exists()
        assert len(names_below(storeroom / "quarantine")) == 1
    else:
        assert space().head(key=file.key) is None
        assert [found.key for found in space().page(prefix="quarantine/").found]
    assert "file.copy_inspected" in audited()
    assert StoredFile.objects.get(pk=file.pk).state == "stored"


def test_different_files_damaged_on_both_sides_at_once(storeroom: Path) -> None:
    here, there, _ = some()
    overwrite(on_disk(here), flip_a_bit(WORDS + bytes([0])))
    put_in_cloud(there.key, flip_a_bit(WORDS + bytes([1])))
    assert scrub(ALL).verdicts == {"local": {"agree": 2, "damaged": 1}, "cloud": {"agree": 2, "damaged": 1}}


def test_both_copies_damaged_are_lost_and_neither_is_moved(storeroom: Path) -> None:
    file, *_ = some()
    overwrite(on_disk(file), flip_a_bit(WORDS + bytes([0])))
    put_in_cloud(file.key, flip_a_bit(WORDS + bytes([0]), at=30))
    verdicts = scrub(ALL).verdicts
    assert verdicts["local"]["damaged"] == 1, "by its row the other copy is still present, and read wrong later"
    assert verdicts["cloud"]["lost"] == 1
    assert StoredFile.objects.get(pk=file.pk).state == "lost"
    assert on_disk(file).exists()
    assert space().head(key=file.key) is not None


def test_a_copy_that_is_gone_is_due(storeroom: Path) -> None:
    file, *_ = some()
    space().delete(key=file.key)
    assert scrub(ALL).verdicts["cloud"] == {"agree": 2, "missing": 1}
    assert state_of_copies(file)["cloud"] == "missing"


def test_the_longest_unread_come_first_and_a_share_is_enough(storeroom: Path) -> None:
    files = some(4)
    for days, file in enumerate(files, start=1):
        unread_since(file, days=days)
    inspection = scrub(Slice(sides=[SideName.LOCAL], share=0.3, rate=None))
    assert inspection.files == 2
    assert [verified(file, "local") > file.created_at for file in files] == [False, False, True, True]
    scrub(Slice(sides=[SideName.LOCAL], share=0.3, rate=None))
    assert all(verified(file, "local") > file.created_at for file in files)


def test_what_is_overdue_is_read_beyond_the_share(storeroom: Path, settings: Settings) -> None:
    settings.SCRUB_DAYS = 30
    for file in some(5):
        unread_since(file, days=31)
    assert scrub(scrubbing.hourly([SideName.LOCAL])).files == 5
    assert scrub(scrubbing.hourly([SideName.LOCAL])).files == 1, "one file at least"


def test_a_slice_ends_in_time_and_the_next_goes_on(storeroom: Path) -> None:
    some()
    assert scrub(Slice(seconds=0.0)).files == 0
    assert scrub(ALL).files == 6


def test_the_rate_is_bounded(storeroom: Path) -> None:
    store(b"x" * 300_000)
    began = time.monotonic()
    scrub(Slice(sides=[SideName.LOCAL], rate=300_000))
    assert time.monotonic() - began >= 0.9


def test_one_wrong_reading_is_no_damage(storeroom: Path, settings: Settings) -> None:
    file = store()
    upstream = settings.SPACES_ENDPOINT
    with FaultySpace(upstream=upstream) as faulty:
        settings.SPACES_ENDPOINT = faulty.url
        faulty.inject(Fault("flip_answer", method="GET", key=file.key, at=20, listing=False))
        inspection = scrub(Slice(sides=[SideName.CLOUD], rate=None))
        settings.SPACES_ENDPOINT = upstream
    assert inspection.verdicts == {"cloud": {"agree": 1}}


def test_a_space_that_is_away_ends_the_slice_and_condemns_nothing(storeroom: Path, settings: Settings) -> None:
    some(5)
    before = list(Copy.objects.order_by("pk").values("state", "verified_at", "lease_until"))
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    assert scrub(Slice(sides=[SideName.CLOUD], rate=None)).verdicts == {"cloud": {"failed": 3}}
    assert list(Copy.objects.order_by("pk").values("state", "verified_at", "lease_until")) == before


def test_bytes_the_disk_cannot_read_are_damage(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()

    def fail(side: LocalSide, *, key: str, **_: Any) -> Iterator[bytes]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(LocalSide, "read", fail)
    assert scrub(Slice(sides=[SideName.LOCAL])).verdicts == {"local": {"damaged": 1}}
    assert state_of_copies(file) == {"local": "corrupt", "cloud": "present"}


def test_a_copy_on_its_way_is_not_read_over_and_over(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()

    def gone(side: LocalSide, *, key: str, **_: Any) -> Iterator[bytes]:
        raise MissingObjectError(key)

    monkeypatch.setattr(LocalSide, "read", gone)
    assert scrub(Slice(sides=[SideName.LOCAL])).verdicts == {"local": {"changed_meanwhile": 1}}
    assert state_of_copies(file)["local"] == "present"


def test_of_two_scrubs_one_reads_a_copy(storeroom: Path) -> None:
    file = store()
    Copy.objects.filter(file=file).update(lease_token=file.pk, lease_until=in_seconds(60))
    assert scrub(ALL).files == 0
    Copy.objects.filter(file=file).update(lease_until=in_seconds(-1))
    assert scrub(ALL).files == 2


def test_a_lease_that_was_lost_condemns_nothing(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()
    real = CloudSide.read

    def stolen(side: CloudSide, **asked: Any) -> Iterator[bytes]:
        Copy.objects.filter(side="cloud").update(lease_token=file.pk)
        return real(side, **asked)

    monkeypatch.setattr(CloudSide, "read", stolen)
    monkeypatch.setattr(mending, "condemn", None)
    before = verified(file, "cloud")
    assert scrub(Slice(sides=[SideName.CLOUD], seconds=0.2)).verdicts == {"cloud": {"changed_meanwhile": 1}}
    assert verified(file, "cloud") == before


def test_block_digests_are_filled_in_on_the_way(storeroom: Path) -> None:
    file = store(bytes(3 * 1024 * 1024 + 5))
    BlockDigests.objects.filter(file=file).delete()
    scrub(Slice(sides=[SideName.LOCAL], rate=None))
    assert len(BlockDigests.objects.get(file=file).digests) == 4 * 32


def test_what_has_no_known_sha256_is_left_to_its_verification(storeroom: Path) -> None:
    file = store()
    StoredFile.objects.filter(pk=file.pk).update(sha256=None)
    assert scrub(ALL).files == 0
