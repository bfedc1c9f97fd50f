"""Two nodes and one Space: when one moves a file to the archive, the other's disk follows, and nothing is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from storage_sync import keys
from storage_sync.arriving import settling
from storage_sync.disk import verifying
from storage_sync.giving import reading
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import archiving, following
from storage_sync.vocabulary import CopyState, SideName
from tests.storage_sync.making import WORDS, flip_a_bit, names_below, on_disk, overwrite, space, store

pytestmark = pytest.mark.django_db
At = Callable[[str], contextlib.AbstractContextManager[Path]]


@pytest.fixture
def at(storeroom: Path, settings: Settings) -> At:
    """`with at("b")`: on another machine, with a disk and a name of its own."""

    @contextlib.contextmanager
    def there(name: str) -> Iterator[Path]:
        before = settings.STORAGE_PATH, settings.STORAGE_NODE
        settings.STORAGE_PATH, settings.STORAGE_NODE = storeroom.parent / name, name
        verifying.forget_everything()
        yield storeroom.parent / name
        settings.STORAGE_PATH, settings.STORAGE_NODE = before

    return there


def fresh(file: StoredFile) -> StoredFile:
    return StoredFile.objects.get(pk=file.pk)


def copy_at(file: StoredFile, node: str) -> Copy:
    return Copy.objects.get(file=file, node=node)


def let_time_pass() -> None:
    StoredFile.objects.exclude(other_key="").update(other_key_until=in_seconds(-1))
    Copy.objects.exclude(next_attempt_at=None).update(next_attempt_at=in_seconds(-1))


def test_the_other_nodes_disk_follows_and_ends_with_one_name(at: At) -> None:
    with at("a"):
        file = store()
    with at("b") as disk_b:
        reading.local_path(file)
        archiving.archive(file)
        assert names_below(disk_b) == [file.key]
    with at("a"):
        assert archiving.move_archived() == {"moved": 1}
    home = keys.archive_key(file.key)
    assert copy_at(file, "b").state == CopyState.PRESENT, "its bytes are there: the file is no less durable"
    with at("b") as disk_b:
        assert following.follow_moves() == {"followed": 1}
        assert names_below(disk_b) == [home, file.key], "the old name stays as long as links to it"
        assert following.follow_moves() == {}
        let_time_pass()
        assert following.follow_moves() == {"settled": 1}
        assert names_below(disk_b) == [home]
        assert reading.local_path(fresh(file)).read_bytes() == WORDS
    with at("a") as disk_a:
        following.follow_moves()
        archiving.move_archived()
        assert names_below(disk_a) == [home]
    assert not Copy.objects.exclude(next_attempt_at=None).filter(node="a").exists()


def test_whoever_empties_the_old_key_every_disk_is_emptied(at: At) -> None:
    with at("a"):
        file = store()
        archiving.archive(file)
        archiving.move_archived()
    let_time_pass()
    with at("b"):
        assert archiving.move_archived() == {"emptied": 1}
    let_time_pass()
    with at("a") as disk_a:
        assert following.follow_moves() == {"settled": 1}
        assert names_below(disk_a) == [keys.archive_key(file.key)]


def only_on_this_disk(file: StoredFile) -> None:
    """As an upload that was acknowledged by this disk alone."""
    space().delete(key=file.key)
    Copy.objects.filter(file=file, side=SideName.CLOUD).update(state=CopyState.PENDING, verified_at=None)


def test_the_node_with_the_only_bytes_is_the_one_that_moves_them(at: At) -> None:
    with at("a"):
        file = store()
        only_on_this_disk(file)
        archiving.archive(file)
    with at("b"):
        assert archiving.move_archived() == {}, "there is nothing it could move, and it does not stand in the way"
        assert following.follow_moves() == {}
    assert fresh(file).key == file.key
    with at("a"):
        assert archiving.move_archived() == {"moved": 1}
        let_time_pass()
        archiving.move_archived()
        assert names_below(on_disk(file).parents[4]) == [keys.archive_key(file.key)]
        assert reading.local_path(fresh(file)).read_bytes() == WORDS


def test_a_damaged_copy_does_not_take_the_name_from_the_right_one(at: At) -> None:
    with at("a"):
        file = store()
    with at("b"):
        reading.local_path(file)
        overwrite(on_disk(file), flip_a_bit(WORDS))
    only_on_this_disk(file)
    archiving.archive(file)
    with at("b"):
        assert archiving.move_archived() == {"postponed": 1}
    assert fresh(file).key == file.key
    let_time_pass()
    with at("a"):
        assert archiving.move_archived() == {"moved": 1}
        assert reading.local_path(fresh(file)).read_bytes() == WORDS


def test_a_copy_that_is_to_be_made_is_not_fetched_when_it_lies_under_the_other_name(at: At) -> None:
    with at("a"):
        file = store()
    with at("b"):
        reading.local_path(file)
    archiving.archive(file)
    with at("a"):
        archiving.move_archived()
    # Declared dead meanwhile, and back: its copies are due to be looked at.
    Copy.objects.filter(node="b").update(state=CopyState.MISSING, next_attempt_at=in_seconds(-1))
    with at("b"):
        assert following.follow_moves() == {"brought": 1}
        assert on_disk(fresh(file)).read_bytes() == WORDS
        assert copy_at(file, "b").next_attempt_at is not None, "what is to be made is for the engine to settle"


@pytest.mark.parametrize("is_durable", [False, True])
def test_what_is_gone_from_the_disk_is_said_to_be_missing(at: At, settings: Settings, is_durable: bool) -> None:
    settings.DISK_DURABLE = is_durable
    with at("a"):
        file = store()
        archiving.archive(file)
        archiving.move_archived()
        on_disk(file).unlink()
        on_disk(fresh(file)).unlink()
        let_time_pass()
        assert following.follow_moves() == {"missing": 1}
        assert copy_at(file, "a").state == CopyState.MISSING
        is_made_again = copy_at(file, "a").next_attempt_at is not None
        assert is_made_again == is_durable, "a cache has it again when somebody reads it"


def test_a_file_that_is_being_moved_is_left_alone(at: At) -> None:
    with at("a"):
        file = store()
        archiving.archive(file)
        archiving.move_archived()
    let_time_pass()
    StoredFile.objects.update(lease_token=file.pk, lease_until=in_seconds(settling.LEASE_SECONDS))
    with at("a") as disk_a:
        assert following.follow_moves() == {}
        assert len(names_below(disk_a)) == 2


def test_restored_while_it_follows_the_bytes_end_where_the_file_belongs(
    at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at("a"):
        file = store()
    with at("b"):
        reading.local_path(file)
    archiving.archive(file)
    with at("a"):
        archiving.move_archived()
    honest = following.bring_here

    def restored_meanwhile(moved: StoredFile) -> bool:
        with transaction.atomic():
            archiving.restore(fresh(moved))
        return honest(moved)

    with at("b"), monkeypatch.context() as raced:
        raced.setattr(following, "bring_here", restored_meanwhile)
        following.follow_moves()
    for _ in range(4):
        let_time_pass()
        for node in ("a", "b"):
            with at(node):
                archiving.move_archived()
                following.follow_moves()
    for node in ("a", "b"):
        with at(node) as disk:
            assert names_below(disk) == [file.key] == [fresh(file).key]
            assert reading.local_path(fresh(file)).read_bytes() == WORDS
