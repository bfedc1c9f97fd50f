"""Bytes that another process of the node has found first: they are served, and say nothing about the Space."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from storage_sync import keys, syncing
from storage_sync.disk import fetching
from storage_sync.giving import reading
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.local import LocalSide
from storage_sync.vocabulary import CopyState, FileState, SideName
from tests.storage_sync.making import WORDS, on_disk, space, state_of_copies, store
from tests.storage_sync.syncing.due import lay

pytestmark = pytest.mark.django_db(transaction=True)


def archived_elsewhere(file: StoredFile) -> StoredFile:
    """Another node gave it its key in the archive; here it lies under its old name yet."""
    StoredFile.objects.filter(pk=file.pk).update(
        key=keys.archive_key(file.key), state=FileState.ARCHIVED, archived_at=file.stored_at
    )
    return StoredFile.objects.get(pk=file.pk)


def test_bytes_that_another_process_gave_their_name_are_read_and_the_space_is_not_vouched_for(
    storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DISK_DURABLE = True
    file = archived_elsewhere(lay())
    real = LocalSide.copy

    def copied_twice(self: LocalSide, *, key: str, to: str) -> None:
        real(self, key=key, to=to)
        real(self, key=key, to=to)

    monkeypatch.setattr(LocalSide, "copy", copied_twice)
    assert reading.local_path(file).read_bytes() == WORDS
    assert state_of_copies(file)[SideName.CLOUD] == CopyState.PENDING
    assert space().head(key=file.key) is None
    assert syncing.run().made == 1
    assert b"".join(space().read(key=file.key)) == WORDS


def test_bytes_that_another_process_fetched_do_not_vouch_for_the_space(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lay()
    aside = on_disk(file).with_suffix(".aside")
    on_disk(file).rename(aside)
    real = fetching.fetch

    def fetched_by_another(*, file: StoredFile, side: CloudSide) -> bool:
        aside.rename(on_disk(file))
        return real(file=file, side=side)

    monkeypatch.setattr(fetching, "fetch", fetched_by_another)
    assert reading.local_path(file).read_bytes() == WORDS
    assert state_of_copies(file) == {SideName.LOCAL: CopyState.PRESENT, SideName.CLOUD: CopyState.PENDING}


def test_what_was_read_from_the_space_vouches_for_it(storeroom: Path) -> None:
    file = store()
    on_disk(file).unlink()
    Copy.objects.filter(file=file, side=SideName.CLOUD).update(state=CopyState.MISSING)
    assert reading.local_path(file).read_bytes() == WORDS
    assert state_of_copies(file)[SideName.CLOUD] == CopyState.PRESENT


def test_bytes_that_another_process_fetched_stay_when_the_file_moves_meanwhile(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lay()
    StoredFile.objects.filter(pk=file.pk).update(state=FileState.ARCHIVED, archived_at=file.stored_at)
    file.refresh_from_db()
    old = on_disk(file)
    aside = old.with_suffix(".aside")
    old.rename(aside)

    def moved_meanwhile(**_: object) -> bool:
        aside.rename(old)
        archived_elsewhere(file)
        return False

    monkeypatch.setattr(fetching, "fetch", moved_meanwhile)
    assert reading.local_path(file).read_bytes() == WORDS
    assert file.key.startswith(keys.ARCHIVE)
    assert old.exists()
