"""GET /files/{id}: the ledger of one file, for those its owner lets see it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from storage_sync import ownership
from storage_sync.models import StoredFile
from tests.storage_sync.making import WORDS, on_disk, store

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import User

pytestmark = pytest.mark.django_db
ApiFor = Callable[["User | None"], "APIClient"]


@pytest.fixture
def seen_by_hana(hana: User) -> Iterator[Callable[[StoredFile], None]]:
    shown: set[uuid.UUID] = set()

    def resolver(user: Any, file_id: uuid.UUID) -> bool:
        return bool(user.pk == hana.pk and file_id in shown)

    ownership.register(resolver)
    yield lambda file: shown.add(file.pk)
    ownership._resolvers.remove(resolver)


def test_an_owner_sees_both_copies(
    storeroom: Path, hana: User, api_for: ApiFor, seen_by_hana: Callable[[StoredFile], None]
) -> None:
    file = store()
    seen_by_hana(file)
    answer = api_for(hana).get(f"/api/v1/files/{file.pk}")
    assert answer.status_code == 200
    told = answer.json()
    copies = {copy["side"]: copy for copy in told.pop("copies")}
    assert told == {
        "id": str(file.pk),
        "category": "recordings",
        "size": len(WORDS),
        "sha256": file.sha256,
        "verified": True,
        "state": "stored",
        "durability": "both",
        "legal_hold": None,
        "backed_up_in": [],
    }
    assert set(copies) == {"local", "cloud"}
    assert all(copy["state"] == "present" and copy["verified_at"] for copy in copies.values())


def test_for_others_there_is_nothing(
    storeroom: Path, olga: User, oscar: User, api_for: ApiFor, seen_by_hana: Callable[[StoredFile], None]
) -> None:
    file = store()
    seen_by_hana(file)
    answer = api_for(olga).get(f"/api/v1/files/{file.pk}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert api_for(None).get(f"/api/v1/files/{file.pk}").status_code == 401
    assert api_for(oscar).get(f"/api/v1/files/{file.pk}").status_code == 200


@pytest.mark.parametrize("state", ["reserved", "abandoned"])
def test_what_never_became_a_file_is_seen_by_nobody(storeroom: Path, oscar: User, api_for: ApiFor, state: str) -> None:
    file = store()
    StoredFile.objects.update(state=state, lease_token=uuid.uuid4(), lease_until=file.stored_at)
    assert api_for(oscar).get(f"/api/v1/files/{file.pk}").status_code == 404
    assert api_for(oscar).get(f"/api/v1/files/{uuid.uuid4()}").status_code == 404


def test_the_ledger_is_told_without_touching_the_bytes(
    storeroom: Path, oscar: User, api_for: ApiFor, django_assert_max_num_queries: Any
) -> None:
    file = store()
    on_disk(file).unlink()
    client = api_for(oscar)
    with django_assert_max_num_queries(3):
        assert client.get(f"/api/v1/files/{file.pk}").status_code == 200


def test_the_admin_shows_files_and_copies_and_edits_neither(storeroom: Path, oscar: User, client: Any) -> None:
    file = store()
    client.force_login(oscar)
    for path in ("storedfile/", "copy/", f"storedfile/{file.pk}/change/"):
        assert client.get(f"/admin/storage_sync/{path}").status_code == 200
    for path in ("storedfile/add/", f"storedfile/{file.pk}/delete/"):
        assert client.get(f"/admin/storage_sync/{path}").status_code == 403
    assert client.post(f"/admin/storage_sync/storedfile/{file.pk}/change/", {"name": "x"}).status_code == 403
