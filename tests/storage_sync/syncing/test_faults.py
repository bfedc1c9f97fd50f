"""The Space fails in every way it can: no damaged object is ever called present, and all is made once it recovers."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from storage_sync.fingerprints import PART_BYTES
from storage_sync.models import Copy
from storage_sync.sides import bulk
from storage_sync.syncing import run
from storage_sync.vocabulary import CopyState
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.storage_sync.making import WORDS, names_below, on_disk, overwrite, space, store
from tests.storage_sync.syncing.due import (
    cloud_copy,
    forget_here,
    lay,
    let_pauses_pass,
    local_copy,
    object_of,
)

pytestmark = pytest.mark.django_db(transaction=True)
LARGE = 2 * PART_BYTES + 5


def until_idle(rounds: int = 12) -> None:
    """Run, let time pass, and run again until nothing is left."""
    for _ in range(rounds):
        run()
        if not Copy.objects.exclude(state=CopyState.PRESENT).exists():
            return
        let_pauses_pass()
    raise AssertionError(list(Copy.objects.exclude(state=CopyState.PRESENT).values_list("side", "state", "error")))


def test_a_space_that_is_away_is_given_up_soon_and_caught_up_with_at_once(faulty: FaultySpace) -> None:
    files = [lay(os.urandom(30)) for _ in range(60)]
    with faulty.away():
        done = run()
    assert done.stopped == "cloud"
    assert done.failed < len(files)
    assert set(done.errors) == {"cloud_unavailable"}
    left = Copy.objects.exclude(state=CopyState.PRESENT)
    assert left.count() == len(files)
    assert not left.filter(lease_token__isnull=False).exists()
    # Those that were tried wait for minutes by now; the first success of another brings them forward.
    left.filter(attempts__gt=0).update(next_attempt_at=timezone.now() + timedelta(minutes=4))
    run()
    assert not Copy.objects.exclude(state=CopyState.PRESENT).exists()


def test_slow_down_is_obeyed(faulty: FaultySpace) -> None:
    files = [lay(os.urandom(30)) for _ in range(20)]
    faulty.inject(Fault("slow_down", method="PUT", times=3))
    done = run()
    assert (done.made, done.failed, done.errors) == (17, 3, {"cloud_busy": 3})
    waiting = Copy.objects.filter(state=CopyState.PENDING)
    assert all(copy.next_attempt_at > timezone.now() + timedelta(seconds=3) for copy in waiting if copy.next_attempt_at)
    until_idle()
    assert [object_of(file) for file in files] == [on_disk(file).read_bytes() for file in files]


@pytest.mark.parametrize("kind", ["answer_lost", "answer_held"])
def test_what_was_put_and_not_answered_is_found_and_not_put_again(faulty: FaultySpace, kind: str) -> None:
    file = lay()
    faulty.inject(Fault(kind, method="PUT", seconds=0.5))  # type: ignore[arg-type]  # both are kinds
    assert run().errors == {"cloud_unavailable": 1}
    let_pauses_pass()
    assert run().found == 1
    assert len(faulty.requests("PUT")) == 1
    assert object_of(file) == WORDS


@pytest.mark.parametrize("kind", ["reset", "reset_in_request", "answer_lost", "slow_down"])
def test_a_part_that_fails_leaves_nothing_and_is_made_whole_later(faulty: FaultySpace, kind: str) -> None:
    data = os.urandom(LARGE)
    file = lay(data)
    faulty.inject(Fault(kind, method="PUT", query={"partNumber": "2"}, at=100_000))  # type: ignore[arg-type]  # kinds
    assert run().failed == 1
    assert space().head(key=file.key) is None
    assert faulty.requests("DELETE", "flac")
    until_idle()
    assert object_of(file) == data


def test_an_upload_whose_completion_is_not_answered_is_found(faulty: FaultySpace) -> None:
    data = os.urandom(LARGE)
    file = lay(data)
    faulty.inject(Fault("answer_lost", method="POST", query={"uploadId": None}))
    assert run().failed == 1
    until_idle()
    assert object_of(file) == data
    assert len(faulty.requests("PUT", "flac")) == 3


@pytest.mark.parametrize("size", [2050, LARGE])
def test_a_bit_that_flips_on_the_way_up_is_seen_and_made_good(faulty: FaultySpace, size: int) -> None:
    data = os.urandom(size)
    file = lay(data)
    faulty.inject(Fault("flip_request", method="PUT", at=77))
    assert run().errors == {"cloud_copy_damaged": 1}
    assert cloud_copy(file).state != CopyState.PRESENT
    assert space().head(key=file.key) is None
    until_idle()
    assert object_of(file) == data


def test_a_bit_that_flips_on_the_way_down_is_seen_and_made_good(faulty: FaultySpace) -> None:
    file = store()
    forget_here(file)
    faulty.inject(Fault("flip_answer", method="GET", key="flac", at=77))
    assert run().made == 1
    assert on_disk(file).read_bytes() == WORDS


@pytest.mark.parametrize("kind", ["short_read", "reset_in_answer"])
def test_an_answer_that_breaks_off_is_never_a_file(faulty: FaultySpace, kind: str) -> None:
    file = lay()
    run()
    forget_here(file)
    faulty.inject(Fault(kind, method="GET", key="flac", at=99, times=0))  # type: ignore[arg-type]  # both are kinds
    assert run().made == 0
    assert not on_disk(file).exists()
    faulty.mend()
    until_idle()
    assert on_disk(file).read_bytes() == WORDS


@pytest.mark.parametrize("kind", ["short_read", "reset_in_answer"])
def test_a_large_answer_that_breaks_off_is_taken_up_where_it_broke(faulty: FaultySpace, kind: str) -> None:
    data = os.urandom(LARGE)
    file = lay(data)
    run()
    forget_here(file)
    faulty.inject(Fault(kind, method="GET", key="flac", at=PART_BYTES, times=0))  # type: ignore[arg-type]  # kinds
    assert run().made == 1
    assert on_disk(file).read_bytes() == data


def test_a_wrong_etag_in_an_answer_alone_does_not_condemn_the_object(faulty: FaultySpace) -> None:
    file = lay()
    faulty.inject(Fault("etag", method="PUT"))
    assert run().made == 1
    assert object_of(file) == WORDS


def test_what_cannot_be_confirmed_is_found_later_and_a_dead_space_is_asked_once(faulty: FaultySpace) -> None:
    files = [lay(os.urandom(40)) for _ in range(8)]
    faulty.inject(Fault("reset", method="HEAD", nth=9, times=0))  # eight looks before, then those after
    done = run()
    assert (done.made, done.errors) == (0, {"cloud_unavailable": 8})
    assert len(faulty.requests("HEAD")) == 9
    faulty.mend()
    let_pauses_pass()
    assert run().found == len(files)
    assert len(faulty.requests("PUT")) == len(files)


def test_bytes_that_rotted_on_this_disk_do_not_go_up(faulty: FaultySpace) -> None:
    file = lay()
    path = on_disk(file)
    path.write_bytes(WORDS[:-1] + b"?")
    done = run()
    assert done.errors["local_copy_damaged"] == 1
    assert space().head(key=file.key) is None
    assert cloud_copy(file).state != CopyState.PRESENT
    assert local_copy(file).state == CopyState.CORRUPT
    # They may be the best there is: they stay, and are not sent again.
    assert path.read_bytes() == WORDS[:-1] + b"?"
    sent = len(faulty.requests("PUT"))
    for _ in range(3):
        let_pauses_pass()
        assert run().made == 0
    assert len(faulty.requests("PUT")) == sent
    overwrite(path, WORDS)
    let_pauses_pass()
    run()
    assert object_of(file) == WORDS
    assert {copy.state for copy in file.copies.all()} == {CopyState.PRESENT}


@pytest.mark.parametrize("kind", ["empty_listing", "truncated_listing"])
def test_a_listing_that_lies_costs_nothing(faulty: FaultySpace, kind: str) -> None:
    files = [lay(os.urandom(30)) for _ in range(40)]
    faulty.inject(Fault(kind, times=0, at=3))  # type: ignore[arg-type]  # both are kinds
    assert run().made == 40
    assert all(object_of(file) == on_disk(file).read_bytes() for file in files)


def test_a_listing_that_is_refused_costs_nothing(faulty: FaultySpace) -> None:
    for _ in range(40):
        lay(os.urandom(30))
    faulty.inject(Fault("refuse", listing=True, times=0, status=403, code="AccessDenied"))
    assert run().made == 40


def test_a_space_that_refuses_is_not_asked_for_every_file(faulty: FaultySpace) -> None:
    for _ in range(60):
        lay(os.urandom(30))
    faulty.inject(Fault("refuse", times=0, status=403, code="AccessDenied"))
    done = run()
    assert (done.stopped, set(done.errors)) == ("cloud", {"cloud_refused"})
    error = Copy.objects.filter(attempts=1, side="cloud").values_list("error", flat=True)[0]
    assert "403" in error


def test_a_space_that_hangs_ends_the_run(
    faulty: FaultySpace, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(bulk, "QUICK_SECONDS", 1)
    settings.SYNC_CONCURRENCY = 4
    for _ in range(30):
        lay(os.urandom(30))
    faulty.inject(Fault("hang", times=0, seconds=60))
    done = run()
    assert done.stopped == "cloud"
    assert done.failed < 30
    faulty.mend()
    until_idle()


def test_no_secret_is_in_an_error(faulty: FaultySpace, settings: Settings) -> None:
    lay()
    lay(os.urandom(10))
    faulty.inject(Fault("refuse", status=400, code="Odd", times=1), Fault("reset", times=0))
    run()
    told = " ".join(Copy.objects.values_list("error", flat=True))
    assert told.strip()
    assert settings.SPACES_SECRET_KEY not in told
    assert "Signature" not in told
    assert "http" not in told


def test_a_full_disk_leaves_nothing_and_is_tried_again(faulty: FaultySpace, settings: Settings) -> None:
    files = [store(os.urandom(50)) for _ in range(4)]
    for file in files:
        forget_here(file)
    settings.DISK_RESERVE_BYTES = 1 << 60
    assert run().errors == {"disk_full": 4}
    assert not faulty.requests("GET", "flac")
    assert names_below(on_disk(files[0]).parents[4] / "temp") == []
    settings.DISK_RESERVE_BYTES = 0
    until_idle()
    assert all(on_disk(file).is_file() for file in files)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_whatever_failed_all_is_made_and_right_in_the_end(faulty: FaultySpace, seed: int) -> None:
    dice = random.Random(seed)
    kinds = ["slow_down", "reset", "reset_in_request", "answer_lost", "flip_request", "flip_answer", "etag",
             "short_read", "empty_listing", "truncated_listing", "refuse"]  # fmt: skip
    files = [lay(dice.randbytes(dice.choice([0, 1, 300, 20_000]))) for _ in range(80)]
    files += [lay(dice.randbytes(PART_BYTES + dice.randrange(PART_BYTES))) for _ in range(2)]
    expected = {file.pk: on_disk(file).read_bytes() for file in files}
    for _ in range(12):
        faulty.inject(
            Fault(dice.choice(kinds), nth=dice.randrange(1, 60), times=dice.randrange(1, 6), at=dice.randrange(200))  # type: ignore[arg-type]  # kinds
        )
    for _ in range(4):
        run()
        let_pauses_pass()
    for file in dice.sample(files, 30):
        if cloud_copy(file).state == CopyState.PRESENT:
            forget_here(file)
    for _ in range(3):
        run()
        let_pauses_pass()
    faulty.mend()
    until_idle()
    for file in files:
        assert object_of(file) == expected[file.pk]
        assert on_disk(file).read_bytes() == expected[file.pk]
