"""What must never be false in the ledger is refused by the database itself."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from storage_sync import checks
from storage_sync.models import Copy, StoredFile
from tests.storage_sync.making import store

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sentence", "change"),
    [
        ("a_sha256_is_64_hex_digits", {"sha256": "no digest"}),
        ("a_reservation_has_a_lease", {"state": "reserved"}),
        ("a_file_says_since_when_it_is_stored", {"stored_at": None}),
        ("an_archived_file_says_since_when", {"state": "archived"}),
        ("a_legal_hold_forbids_purging", {"state": "purged", "has_legal_hold": True}),
        ("a_second_key_has_a_term", {"other_key": "archive/x"}),
        ("a_second_key_has_a_term", {"other_key_until": timezone.now()}),
    ],
)
def test_a_file_cannot_be_wrong(storeroom: Path, sentence: str, change: dict[str, Any]) -> None:
    file = store()
    with pytest.raises(IntegrityError, match=sentence), transaction.atomic():
        StoredFile.objects.filter(pk=file.pk).update(**change)


def test_a_key_belongs_to_one_file(storeroom: Path) -> None:
    one, other = store(), store()
    with pytest.raises(IntegrityError), transaction.atomic():
        StoredFile.objects.filter(pk=one.pk).update(key=other.key)


@pytest.mark.parametrize(
    ("sentence", "copy"),
    [
        ("only_the_local_side_has_nodes", {"side": "cloud", "node": "a"}),
        ("only_the_local_side_has_nodes", {"side": "local", "node": ""}),
        ("a_present_copy_was_verified", {"side": "local", "node": "b", "state": "present"}),
        ("a_place_has_one_copy_of_a_file", {"side": "cloud"}),
    ],
)
def test_a_copy_cannot_be_wrong(storeroom: Path, sentence: str, copy: dict[str, Any]) -> None:
    file = store()
    with pytest.raises(IntegrityError, match=sentence), transaction.atomic():
        Copy.objects.create(file=file, **copy)


@pytest.mark.parametrize(
    ("present", "durability"),
    [(("local", "cloud"), "both"), (("cloud",), "cloud"), (("local",), "local"), (("pool",), "none"), ((), "none")],
)
def test_durability_is_the_set_of_verified_copies(present: tuple[str, ...], durability: str) -> None:
    file = StoredFile.objects.create(
        category="minutes",
        name="m",
        key=uuid.uuid4().hex,
        content_type="a/b",
        size=1,
        state="stored",
        stored_at=timezone.now(),
    )
    for side in ("local", "cloud", "pool"):
        Copy.objects.create(
            file=file,
            side=side,
            node="here" if side == "local" else "",
            state="present" if side in present else "missing",
            verified_at=timezone.now(),
        )
    assert file.durability == durability


def test_a_storage_folder_that_cannot_be_written_stops_the_boot(
    storeroom: Path, settings: Settings, tmp_path: Path
) -> None:
    assert checks.check_local_side(None) == []
    settings.STORAGE_PATH = tmp_path / "not yet" / "there"
    assert checks.check_local_side(None) == []
    blocked = tmp_path / "file"
    blocked.write_text("x")
    settings.STORAGE_PATH = blocked
    [found] = checks.check_local_side(None)
    assert found.id == "storage_sync.E001"
