"""Bytes on this disk, or at the key, that may be wrong: doubted with reason, kept until others have come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from storage_sync.models import Copy, StoredFile
from storage_sync.syncing import putting, run
from storage_sync.vocabulary import CopyState, SideName
from tests.storage_sync.making import WORDS, on_disk, overwrite, put_in_cloud, space, store
from tests.storage_sync.syncing.due import cloud_copy, forget_here, lay, let_pauses_pass, object_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_is_asked_of_the_ledger_for_every_file(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question a file, and two thousand small ones take a third longer."""
    doubted: list[StoredFile] = []
    monkeypatch.setattr(putting, "_are_doubted", doubted.append)
    for _ in range(3):
        lay()
    assert run().made == 3
    assert doubted == []


def test_wrong_bytes_on_this_disk_are_put_aside_and_replaced(storeroom: Path) -> None:
    file = store()
    forget_here(file)
    on_disk(file).parent.mkdir(exist_ok=True)
    on_disk(file).write_bytes(b"wrong")
    assert run().made == 1
    assert on_disk(file).read_bytes() == WORDS
    assert len(list((storeroom / "quarantine").iterdir())) == 1


def test_wrong_bytes_on_this_disk_stay_while_there_are_no_others(storeroom: Path) -> None:
    file = store()
    forget_here(file)
    on_disk(file).parent.mkdir(exist_ok=True)
    on_disk(file).write_bytes(b"wrong")
    put_in_cloud(file.key, b"wrong too")
    assert run().errors["no_source"] >= 1
    assert on_disk(file).read_bytes() == b"wrong"
    assert not list((storeroom / "quarantine").iterdir())


@pytest.mark.parametrize("here", ["nothing", "wrong"])
def test_a_wrong_object_stays_until_somebody_has_right_bytes_to_put_there(storeroom: Path, here: str) -> None:
    file = lay()
    wrong = WORDS[:-1] + b"?"
    put_in_cloud(file.key, wrong)
    if here == "wrong":
        overwrite(on_disk(file), wrong)
    else:
        on_disk(file).unlink()
        Copy.objects.filter(file=file, side=SideName.LOCAL).update(state=CopyState.MISSING)
    assert run().errors == {"no_source": 1}
    assert object_of(file) == wrong
    assert not space().page(prefix="quarantine/").found
    copy = cloud_copy(file)
    assert copy.next_attempt_at is not None
    assert copy.next_attempt_at > timezone.now() + timedelta(minutes=10)
    on_disk(file).touch()
    overwrite(on_disk(file), WORDS)
    let_pauses_pass()
    assert run().made == 1
    assert object_of(file) == WORDS
