"""What happens to a file, or is found out of a copy, between the making of the copy and the writing down of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django.fixtures import Settings

from storage_sync import keys
from storage_sync.damage import losing
from storage_sync.models import Copy, Remnant, StoredFile
from storage_sync.syncing import confirming, leasing, run
from storage_sync.syncing.leasing import Held
from storage_sync.syncing.outcomes import Outcome, Verdict
from storage_sync.vocabulary import CopyState, FileState, SideName
from tests.storage_sync.making import WORDS, on_disk, space, store
from tests.storage_sync.syncing.due import cloud_copy, forget_here, lay, let_pauses_pass, local_copy, object_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen once when a copy has been made, and is not written down yet."""

    def plan(deed: Callable[[], object]) -> None:
        real, deeds = confirming.confirm, [deed]

        def confirm(outcomes: list[Outcome], **more: object) -> list[Outcome]:
            done = real(outcomes, **more)  # type: ignore[arg-type]  # what we were called with
            while deeds:
                deeds.pop()()
            return done

        monkeypatch.setattr(confirming, "confirm", confirm)

    return plan


Plan = Callable[[Callable[[], object]], None]


def state_of(file: StoredFile) -> str:
    return StoredFile.objects.values_list("state", flat=True).get(pk=file.pk)


def claim(held: Held) -> list[Copy]:
    return held.claim(most=10, most_bytes=1 << 40, categories=(), has_cloud=True)


def test_a_file_given_up_while_its_object_was_made_is_found_again_by_it(storeroom: Path, meanwhile: Plan) -> None:
    file = lay()
    Copy.objects.filter(file=file, side=SideName.LOCAL).update(state=CopyState.MISSING)
    meanwhile(lambda: losing.mark_lost(file_id=file.pk))
    assert run().made == 1
    assert object_of(file) == WORDS
    assert (state_of(file), cloud_copy(file).state) == (FileState.STORED, CopyState.PRESENT)


def test_a_file_given_up_while_it_came_down_is_found_again_by_what_came(storeroom: Path, meanwhile: Plan) -> None:
    file = store()
    forget_here(file)

    def give_up() -> None:
        space().delete(key=file.key)
        Copy.objects.filter(file=file, side=SideName.CLOUD).update(state=CopyState.MISSING)
        assert losing.mark_lost(file_id=file.pk)

    meanwhile(give_up)
    assert run().made == 1
    assert on_disk(file).read_bytes() == WORDS
    assert (state_of(file), local_copy(file).state) == (FileState.STORED, CopyState.PRESENT)


@pytest.mark.parametrize("side", [SideName.LOCAL, SideName.CLOUD])
def test_of_a_lost_file_that_was_moved_nothing_is_taken_back(storeroom: Path, side: SideName) -> None:
    file = store()
    made = Outcome(Copy.objects.select_related("file").get(file=file, side=side), Verdict.MADE, moved_bytes=len(WORDS))
    StoredFile.objects.filter(pk=file.pk).update(key=keys.archive_key(file.key), state=FileState.LOST)
    confirming.take_back(made, side=space())  # type: ignore[arg-type]  # it can delete as a bulk side does
    assert on_disk(file).exists()
    assert space().head(key=file.key) is not None


@pytest.mark.parametrize("is_lost", [False, True])
def test_of_a_file_sealed_while_it_went_up_no_plaintext_is_left(
    storeroom: Path, meanwhile: Plan, *, is_lost: bool
) -> None:
    file = lay()
    more = {"state": FileState.LOST} if is_lost else {}
    sealed = StoredFile.objects.filter(pk=file.pk)
    meanwhile(lambda: sealed.update(key=keys.sibling_key(file.key), **more))
    assert run().moot == 1
    assert space().head(key=file.key) is None
    # Whatever of it is still on its way is removed, too, and so is it if we are killed here.
    assert Remnant.objects.filter(key=file.key, side=SideName.CLOUD).exists()


def test_of_a_file_sealed_while_it_came_down_no_plaintext_is_left(storeroom: Path, meanwhile: Plan) -> None:
    file = store()
    forget_here(file)
    meanwhile(lambda: StoredFile.objects.filter(pk=file.pk).update(key=keys.sibling_key(file.key)))
    assert run().moot == 1
    assert not on_disk(file).exists()
    assert Remnant.objects.filter(key=file.key, side=SideName.LOCAL).exists()


@pytest.mark.parametrize("verdict", [Verdict.MADE, Verdict.FAILED])
def test_what_a_reader_has_condemned_since_is_not_overwritten(storeroom: Path, verdict: Verdict) -> None:
    file = lay()
    held = Held()
    [copy] = claim(held)
    Copy.objects.filter(pk=copy.pk).update(state=CopyState.CORRUPT, error="read wrong")
    held.settle([Outcome(copy, verdict, moved_bytes=len(WORDS), code="x")])
    found = cloud_copy(file)
    assert (found.state, found.error, found.lease_token) == (CopyState.CORRUPT, "read wrong", None)
    assert found.next_attempt_at is not None
    assert found.next_attempt_at <= timezone.now()


def test_what_was_condemned_while_it_was_put_is_read_and_stays(storeroom: Path, meanwhile: Plan) -> None:
    file = lay()
    meanwhile(lambda: Copy.objects.filter(pk=cloud_copy(file).pk).update(state=CopyState.CORRUPT))
    done = run()
    assert (done.moot, done.found) == (1, 1)
    assert object_of(file) == WORDS
    assert cloud_copy(file).state == CopyState.PRESENT


def test_what_a_reader_has_found_present_since_stays_so(storeroom: Path) -> None:
    file = lay()
    held = Held()
    [copy] = claim(held)
    Copy.objects.filter(pk=copy.pk).update(state=CopyState.PRESENT, verified_at=timezone.now(), next_attempt_at=None)
    held.settle([Outcome(copy, Verdict.FAILED, code="x")])
    found = cloud_copy(file)
    assert (found.state, found.next_attempt_at, found.lease_token) == (CopyState.PRESENT, None, None)


def test_what_others_have_taken_over_is_no_longer_kept(storeroom: Path) -> None:
    lay()
    slow, quick = Held(), Held()
    [copy] = claim(slow)
    assert slow.keeps(copy)
    let_pauses_pass()
    time.sleep(0.01)
    assert len(claim(quick)) == 1
    before = slow._kept_until
    time.sleep(0.01)
    assert slow.renew()
    assert not slow.keeps(copy)
    assert slow._kept_until == before
    assert quick.renew()
    assert quick.keeps(copy)


def test_one_copy_taken_over_leaves_the_others_kept(storeroom: Path) -> None:
    for _ in range(2):
        lay(os.urandom(20))
    held = Held()
    ours, theirs = claim(held)
    Copy.objects.filter(pk=theirs.pk).update(lease_token=None, lease_until=None)
    assert held.renew()
    assert (held.keeps(ours), held.keeps(theirs)) == (True, False)
    assert Copy.objects.get(pk=theirs.pk).lease_until is None


def test_a_database_that_is_away_leaves_no_thread_behind(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.SYNC_CONCURRENCY = 3
    lay()

    def away(*_: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(leasing.Held, "settle", away)
    with pytest.raises(OperationalError):
        run()
    until = time.monotonic() + 30
    while crew := [thread for thread in threading.enumerate() if thread.name.startswith("sync-")]:
        assert time.monotonic() < until, crew
        time.sleep(0.05)
