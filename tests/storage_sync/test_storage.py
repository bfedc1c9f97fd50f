"""Django's contract of a Storage, over the ledger and both sides."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.utils import timezone

from storage_sync.models import StoredFile
from storage_sync.retaining import archiving
from storage_sync.storage import LedgerStorage
from tests.storage_sync.making import names_below, space

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]


def save(name: str = "avatars/Gesicht ☺.png", data: bytes = b"bytes") -> str:
    return default_storage.save(name, ContentFile(data))


def test_it_is_the_default_storage() -> None:
    assert isinstance(storages["default"], LedgerStorage)


def test_what_was_saved_is_opened_under_the_key_it_was_given() -> None:
    key = save()
    assert key.startswith("avatars/")
    assert key.endswith(".png")
    with default_storage.open(key) as found:
        assert found.read() == b"bytes"
    assert default_storage.size(key) == 5
    assert default_storage.exists(key)
    file = StoredFile.objects.get()
    assert (file.durability, file.content_type, file.name) == ("both", "image/png", "Gesicht ☺.png")


def test_the_same_name_twice_makes_two_files() -> None:
    first, second = save(data=b"one"), save(data=b"two")
    assert first != second
    with default_storage.open(first) as one, default_storage.open(second) as two:
        assert (one.read(), two.read()) == (b"one", b"two")


@pytest.mark.parametrize("size", [0, 1, 70_000, 300_000])
def test_content_of_any_size_is_kept(size: int) -> None:
    key = save("exports/a.bin", b"x" * size)
    with default_storage.open(key) as found:
        assert b"".join(found.chunks()) == b"x" * size


def test_text_is_kept_as_utf_8() -> None:
    key = default_storage.save("transcripts/a.txt", ContentFile("Grüße"))
    with default_storage.open(key) as found:
        assert found.read().decode() == "Grüße"


def test_a_folder_that_is_no_category_becomes_an_export() -> None:
    assert save("somewhere/else/a.pdf").startswith("exports/")


def test_a_deleted_file_is_archived_and_gone_from_sight() -> None:
    key = save()
    default_storage.delete(key)
    default_storage.delete(key)
    default_storage.delete("avatars/never/was")
    assert not default_storage.exists(key)
    assert StoredFile.objects.get().state == "archived"
    with pytest.raises(FileNotFoundError):
        default_storage.open(key)


def test_a_file_is_found_by_its_first_key_while_its_bytes_move() -> None:
    key = save()
    file = StoredFile.objects.get()
    archiving.archive(file)
    archiving.move_archived()
    archiving.restore(file)
    assert file.key != key
    with default_storage.open(key) as found:
        assert found.read() == b"bytes"


def test_listing_shows_folders_and_files() -> None:
    key = save()
    folders, files = default_storage.listdir("")
    assert (folders, files) == (["avatars"], [])
    folder, _, name = key.rpartition("/")
    assert default_storage.listdir(folder) == ([], [name])


def test_times_are_those_of_storing() -> None:
    key = save()
    for told in (
        default_storage.get_created_time,
        default_storage.get_modified_time,
        default_storage.get_accessed_time,
    ):
        assert abs(told(key) - timezone.now()) < timedelta(seconds=30)


def test_its_address_is_a_link() -> None:
    key = save()
    assert f"{space().space.bucket}/{key}" in default_storage.url(key)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b", "a\\..\\b", "a\x00b"])
def test_no_name_leads_out_of_it(name: str, storeroom: Path) -> None:
    for act in (default_storage.open, default_storage.exists, default_storage.delete, default_storage.size):
        with pytest.raises(SuspiciousFileOperation):
            act(name)
    assert names_below(storeroom.parent) == []


@pytest.mark.parametrize("name", ["../x", "a/../../b", ".."])
def test_nothing_is_saved_under_a_name_that_leads_out(name: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        default_storage.save(name, ContentFile(b"x"))
    assert not StoredFile.objects.exists()


def test_a_stored_file_cannot_be_written() -> None:
    key = save()
    with pytest.raises(ValueError, match="never changes"):
        default_storage.open(key, "wb")
