"""Large bodies go to the Space while they come in, and a Space that fails costs the pass, never the file."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem
from storage_sync import waking
from storage_sync.arriving import forwarding
from storage_sync.arriving.intake import Intake
from storage_sync.arriving.receiving import receive
from storage_sync.fingerprints import PART_BYTES
from storage_sync.models import BlockDigests, StoredFile
from storage_sync.sides.cloud import CloudSide
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.journeys.houses import eventually
from tests.storage_sync.making import names_below, nobody, on_disk, space, state_of_copies

pytestmark = pytest.mark.django_db
SIZE = 2 * PART_BYTES + 12_345
CHUNK = 1024 * 1024


@pytest.fixture
def faulty(storeroom: Path, settings: Settings) -> Iterator[FaultySpace]:
    with FaultySpace(upstream=settings.SPACES_ENDPOINT) as between:
        settings.SPACES_ENDPOINT = between.url
        yield between


@pytest.fixture
def data() -> bytes:
    return os.urandom(SIZE)


def take(data: bytes, own: Callable[[StoredFile], None] = nobody, **wanted: Any) -> StoredFile:
    with Intake(category="recordings", largest=SIZE, **wanted) as intake:
        intake.extension = "wav"
        for at in range(0, len(data), CHUNK):
            intake.write(data[at : at + CHUNK])
        landed = intake.land()
        return receive(
            landed=landed, name="a", content_type="audio/wav", extension="wav", tenant_id=None, own=own
        )  # fmt: skip


def require_whole(file: StoredFile, data: bytes) -> None:
    assert file.state == "stored"
    assert state_of_copies(file) == {"local": "present", "cloud": "present"}
    assert on_disk(file).read_bytes() == data
    assert b"".join(space().read(key=file.key)) == data


def under_way() -> list[str]:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    return [upload.key for upload in space().open_multiparts(before=later)]


def test_a_large_body_is_sent_once_and_not_put_again(
    storeroom: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CloudSide, "put", lambda *args, **kwargs: pytest.fail("it was sent already"))
    file = take(data)
    require_whole(file, data)
    assert file.key.endswith(".wav")
    assert under_way() == []


def test_a_body_of_one_part_is_not_forwarded(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage_sync.arriving.intake.forwarding", lambda **kwargs: pytest.fail("it is too small"))
    require_whole(take(bytes(PART_BYTES)), bytes(PART_BYTES))


def test_a_body_that_ends_with_its_second_part_has_two(storeroom: Path) -> None:
    data = os.urandom(2 * PART_BYTES)
    require_whole(take(data), data)


def test_a_part_leaves_before_the_last_byte_has_come(storeroom: Path, data: bytes) -> None:
    with Intake(category="recordings", largest=SIZE) as intake:
        intake.write(data[: PART_BYTES + 1])
        eventually(lambda: len(under_way()) == 1, within=20)
        [key] = under_way()
        assert str(intake.file_id) in key
        assert space().head(key=key) is None
    eventually(lambda: not under_way(), within=20)


def test_blocks_are_kept_from_the_same_pass(storeroom: Path, data: bytes) -> None:
    file = take(data)
    wanted = b"".join(hashlib.sha256(data[at : at + CHUNK]).digest() for at in range(0, SIZE, CHUNK))
    assert bytes(BlockDigests.objects.get(file=file).digests) == wanted


@pytest.mark.parametrize(
    "fault",
    [
        Fault("refuse", method="POST", query={"uploads": None}, status=500, code="InternalError", times=20),
        Fault("reset_in_request", method="PUT", query={"partNumber": "2"}, at=300_000, times=3),
        Fault("flip_request", method="PUT", query={"partNumber": "1"}, at=70_000, times=1),
        Fault("slow_down", method="PUT", query={"partNumber": None}, times=2),
        Fault("answer_lost", method="PUT", query={"partNumber": "2"}, times=3),
        Fault("answer_lost", method="POST", query={"uploadId": None}, times=1),
        Fault("slow_down", method="POST", query={"uploadId": None}, times=9),
    ],
    ids=lambda fault: f"{fault.kind} {fault.method} {' '.join(fault.query)}",
)
def test_a_space_that_fails_meanwhile_costs_no_file(
    faulty: FaultySpace, fault: Fault, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "PAUSES", (0.05, 0.05))
    faulty.inject(fault)
    with contextlib.suppress(Problem):
        require_whole(take(data), data)
    # Where even the put from the disk was refused, nothing is visible; sent again, it is there.
    faulty.mend()
    if not StoredFile.objects.stored().exists():
        require_whole(take(data), data)
    eventually(lambda: not under_way(), within=30)


def test_a_space_that_hangs_is_given_up_within_the_patience(
    faulty: FaultySpace, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(forwarding, "ANSWER_SECONDS", 5.0)
    faulty.inject(Fault("hang", method="PUT", query={"partNumber": "2"}, seconds=8, times=1))
    began = time.monotonic()
    require_whole(take(data), data)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("refusal", ["digest", "quota", "cut"])
def test_what_is_refused_leaves_nothing_in_the_space(storeroom: Path, data: bytes, refusal: str) -> None:
    wanted: dict[str, Any] = {}
    if refusal == "digest":
        wanted["expected_sha256"] = "0" * 64
    elif refusal == "quota":
        wanted["allowance"] = SIZE - 1
    else:
        wanted["announced_size"] = SIZE
    code = {"digest": "digest_mismatch", "quota": "quota_exceeded", "cut": "size_mismatch"}[refusal]
    with pytest.raises(Problem, match=code):
        take(data[:-CHUNK] if refusal == "cut" else data, **wanted)
    assert names_below(storeroom) == []
    eventually(lambda: not under_way(), within=20)
    assert space().page().found == []


def test_an_owner_that_refuses_a_forwarded_body_leaves_nothing(storeroom: Path, data: bytes) -> None:
    def refuse(file: StoredFile) -> None:
        raise Problem("gone", "The meeting was deleted.", status=409)

    with pytest.raises(Problem, match="gone"):
        take(data, own=refuse)
    eventually(lambda: not under_way(), within=20)
    assert (space().page().found, names_below(storeroom)) == ([], [])


def test_nobody_waits_for_the_space_where_the_disk_is_enough(
    storeroom: Path,
    data: bytes,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.STORAGE_ACK, settings.SPACES_ENDPOINT = "local", "http://127.0.0.1:9"
    sent: list[str] = []
    waking.forget(settings.STORAGE_NODE)
    monkeypatch.setattr("storage_sync.waking.current_app.send_task", lambda name, **kwargs: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        file = take(data)
    assert sent == ["storage_sync.tasks.sync_copies"]
    assert (file.state, file.durability) == ("stored", "local")
    assert state_of_copies(file) == {"local": "present", "cloud": "pending"}
    due = file.copies.get(side="cloud")
    assert due.next_attempt_at is not None
    assert due.next_attempt_at <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_space_that_answers_nothing_at_all_is_503_before_the_platform_cuts(faulty: FaultySpace, data: bytes) -> None:
    faulty.inject(Fault("hang", seconds=120, times=0))
    began = time.monotonic()
    with pytest.raises(Problem) as caught:
        take(data)
    took = time.monotonic() - began
    print(f"{took:.0f} s")
    assert (caught.value.code, caught.value.status) == ("storage_unavailable", 503)
    assert took < 90
    assert not StoredFile.objects.stored().exists()
    faulty.mend()
