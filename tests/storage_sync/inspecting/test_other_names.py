"""Bytes that lie under the other name of their file, unannounced, are neither missing nor lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage_sync import keys
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.local import local
from storage_sync.vocabulary import SideName
from tests.storage_sync.inspecting.running import audited, counts, run, some
from tests.storage_sync.making import WORDS, flip_a_bit, on_disk, overwrite, space, state_of_copies

pytestmark = pytest.mark.django_db
FIRST = WORDS + bytes([0])
LOCAL, CLOUD = [SideName.LOCAL], [SideName.CLOUD]


def rename_on_disk(file: StoredFile) -> Path:
    other = local().path(keys.other_name(file.key))
    other.parent.mkdir(parents=True, exist_ok=True)
    return on_disk(file).rename(other)


def rename_in_space(file: StoredFile) -> None:
    space().copy(key=file.key, to=keys.other_name(file.key))
    space().delete(key=file.key)


def is_lost(file: StoredFile) -> bool:
    return StoredFile.objects.get(pk=file.pk).state == "lost" or "file.lost" in audited()


def test_on_the_disk_they_get_their_key_back(storeroom: Path) -> None:
    file = some(6)[0]
    rename_on_disk(file)
    assert counts(run(sides=LOCAL), "local").get("missing", 0) == 0
    assert on_disk(file).read_bytes() == FIRST
    assert state_of_copies(file) == {"local": "present", "cloud": "present"}


def test_wrong_ones_on_the_disk_are_left_there(storeroom: Path) -> None:
    file = some(6)[0]
    overwrite(rename_on_disk(file), flip_a_bit(FIRST))
    assert counts(run(sides=LOCAL), "local")["missing"] == 1
    assert not on_disk(file).exists()


def test_in_the_space_they_are_due_to_be_moved(storeroom: Path) -> None:
    file = some(6)[0]
    rename_in_space(file)
    assert counts(run(sides=CLOUD), "cloud").get("missing", 0) == 0
    assert StoredFile.objects.get(pk=file.pk).other_key == keys.other_name(file.key)


@pytest.mark.parametrize("where", ["the disk", "the Space"])
def test_a_file_of_which_they_are_all_there_is_is_not_lost(storeroom: Path, where: str) -> None:
    file = some(6)[0]
    if where == "the disk":
        space().delete(key=file.key)
        rename_on_disk(file)
        run(sides=CLOUD)
        assert on_disk(file).read_bytes() == FIRST
    else:
        on_disk(file).unlink()
        rename_in_space(file)
        run(sides=LOCAL)
        assert StoredFile.objects.get(pk=file.pk).other_key == keys.other_name(file.key)
    assert not is_lost(file)
    assert Copy.objects.filter(file=file).count() == 2
