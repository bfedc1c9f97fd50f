"""The pages of operators: the board is true and quick, the rows are there to be read and not to be changed."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from storage_sync.models import Copy, Node, UnknownObject
from tests.storage_sync.inspecting.running import run
from tests.storage_sync.ledgers import fill
from tests.storage_sync.making import store

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(oscar: User) -> Client:
    """Oscar, signed in to the admin."""
    cache.delete("storage-board")
    client = Client()
    client.force_login(oscar)
    return client


def test_the_board_tells_what_waits_by_side_and_category(storeroom: Path, desk: Client) -> None:
    store()
    store(category="minutes", extension="pdf", content_type="application/pdf")
    Copy.objects.filter(side="cloud", file__category="minutes").update(state="pending", next_attempt_at=Now())
    run(is_dry_run=True)
    page = desk.get(reverse("admin:storage_sync_inspection_changelist"))
    assert page.status_code == 200
    board = {(line["side"], line["category"]): line for line in page.context["board"]}
    assert (board["cloud", "all"]["files"], board["cloud", "minutes"]["pending"]) == ("1", "1")
    assert (board["cloud", "all"]["to_be_made"], board["local", "all"]["files"]) == ("1", "2")
    assert "Oldest unverified" in page.content.decode()
    assert "reconciliation" in page.content.decode().lower()


@pytest.mark.parametrize("model", ["inspection", "unknownobject", "node"])
def test_every_page_opens_and_none_can_be_changed(storeroom: Path, desk: Client, model: str) -> None:
    run()
    node = Node.objects.create(name="here", disk_id=uuid.uuid4(), heartbeat_at=Now())
    UnknownObject.objects.create(
        side="local", node=node.name, key="recordings/x", size=1, first_seen_at=Now(), last_seen_at=Now()
    )
    page = desk.get(reverse(f"admin:storage_sync_{model}_changelist"), {"q": "x"})
    assert page.status_code == 200
    row = desk.get(reverse(f"admin:storage_sync_{model}_changelist")).context["cl"].queryset.first()
    assert desk.get(reverse(f"admin:storage_sync_{model}_change", args=[row.pk])).status_code == 200
    assert desk.get(reverse(f"admin:storage_sync_{model}_add")).status_code == 403
    assert desk.post(reverse(f"admin:storage_sync_{model}_delete", args=[row.pk])).status_code == 403


def test_a_board_of_many_files_is_few_questions_and_then_none(
    storeroom: Path, desk: Client, settings: Settings
) -> None:
    fill(files=2_000, node=settings.STORAGE_NODE)
    address = reverse("admin:storage_sync_inspection_changelist")
    with CaptureQueriesContext(
        connection,
    ) as first:
        assert desk.get(address).context["board"][0]["files"] == "2000"
    with CaptureQueriesContext(connection) as second:
        desk.get(address)
    assert len(first) < 20
    assert not [query for query in second.captured_queries if "storage_sync_copy" in query["sql"]]
