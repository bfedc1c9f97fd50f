"""The only copy on this disk stays where it is until there is a better one."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem
from storage_sync.disk import verifying
from storage_sync.giving import reading
from storage_sync.models import StoredFile
from tests.storage_sync.making import WORDS, flip_a_bit, names_below, on_disk, overwrite, state_of_copies, store
from tests.storage_sync.syncing.due import lay

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("failures", [1, 99])
def test_a_disk_that_fails_to_read_loses_nothing(
    storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    settings.DISK_DURABLE = True
    file = lay()
    really, reads = verifying._has_its_sha256, []

    def failing(file: StoredFile, path: Path) -> bool:
        reads.append(path)
        if len(reads) <= failures:
            raise OSError(errno.EIO, "I/O error")
        return really(file, path)

    monkeypatch.setattr(verifying, "_has_its_sha256", failing)
    if failures == 1:
        assert reading.local_path(file).read_bytes() == WORDS
    else:
        with pytest.raises(Problem, match="storage_unavailable"):
            reading.local_path(file)
    assert StoredFile.objects.get(pk=file.pk).state == "stored"
    assert on_disk(file).read_bytes() == WORDS


def test_wrong_bytes_without_better_ones_stay_at_their_key(storeroom: Path, settings: Settings) -> None:
    settings.DISK_DURABLE = True
    file = lay()
    overwrite(on_disk(file), flip_a_bit(WORDS))
    with pytest.raises(Problem, match="file_lost"):
        reading.local_path(file)
    assert on_disk(file).read_bytes() == flip_a_bit(WORDS)
    overwrite(on_disk(file), WORDS)
    file.refresh_from_db()
    assert reading.local_path(file).read_bytes() == WORDS
    assert StoredFile.objects.get(pk=file.pk).state == "stored"


def test_wrong_bytes_are_put_aside_for_better_ones(storeroom: Path) -> None:
    file = store()
    overwrite(on_disk(file), flip_a_bit(WORDS))
    assert reading.local_path(file).read_bytes() == WORDS
    assert [name for name in names_below(storeroom) if name.startswith("quarantine/")] != []


def test_a_disk_that_cannot_read_a_file_has_it_brought_from_the_space(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, really = store(), verifying._has_its_sha256
    broken = on_disk(file).stat().st_ino

    def failing(file: StoredFile, path: Path) -> bool:
        if path.stat().st_ino == broken:
            raise OSError(errno.EIO, "I/O error")
        return really(file, path)

    verifying.forget_everything()
    monkeypatch.setattr(verifying, "_has_its_sha256", failing)
    assert reading.local_path(file).read_bytes() == WORDS
    assert on_disk(file).stat().st_ino != broken
    assert StoredFile.objects.get(pk=file.pk).state == "stored"
    assert state_of_copies(file) == {"local": "present", "cloud": "present"}
