"""A file is not lost while a durable disk that nobody has looked at may have it."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem
from storage_sync import syncing
from storage_sync.damage import healing, losing
from storage_sync.giving import reading
from storage_sync.inspecting import mending
from storage_sync.inspecting.places import reachable
from storage_sync.models import Copy, Node, StoredFile
from storage_sync.presence import nodes
from storage_sync.sides.local import local
from tests.storage_sync.making import space, store
from tests.storage_sync.syncing.due import lay, let_pauses_pass

pytestmark = pytest.mark.django_db(transaction=True)


def go(settings: Settings, storeroom: Path, name: str) -> None:
    settings.DISK_DURABLE = True
    settings.STORAGE_NODE, settings.STORAGE_PATH = name, storeroom.parent / name
    local().lay_out()


def test_what_a_durable_disk_that_is_just_back_may_have_is_not_lost(storeroom: Path, settings: Settings) -> None:
    go(settings, storeroom, "a")
    file = lay()
    nodes.beat(nodes.Presence())
    Node.objects.filter(name="a").update(heartbeat_at=in_seconds(-1_000))
    go(settings, storeroom, "b")
    nodes.beat(nodes.Presence())
    assert nodes.bury_dead() == ["a"]
    go(settings, storeroom, "a")
    nodes.beat(nodes.Presence())
    go(settings, storeroom, "b")
    with pytest.raises(Problem, match="storage_unavailable"):
        reading.local_path(StoredFile.objects.get(pk=file.pk))
    for place in reachable():
        mending.settle(place=place, file_id=file.pk, is_dry_run=False)
    assert StoredFile.objects.get(pk=file.pk).state == "stored"
    go(settings, storeroom, "a")
    let_pauses_pass()
    syncing.run()
    let_pauses_pass()
    syncing.run()
    assert space().head(key=file.key) is not None


@pytest.mark.parametrize(
    ("found", "is_lost"),
    [
        ({"error": "node_dead"}, False),
        ({"error": "disk_replaced"}, False),
        ({"next_attempt_at": Now()}, False),
        ({"next_attempt_at": Now(), "attempts": 1}, True),
        ({"next_attempt_at": Now(), "error": "There was nothing at the file's key."}, True),
        ({}, True),
    ],
)
def test_only_a_copy_that_nobody_has_tried_to_find_keeps_a_file_from_being_lost(
    storeroom: Path, found: dict[str, object], is_lost: bool
) -> None:
    file = store()
    Node.objects.create(name="far", disk_id=uuid.uuid4(), heartbeat_at=Now(), is_durable=True)
    Copy.objects.filter(file=file).update(state="missing")
    Copy.objects.filter(file=file, side="local").update(node="far", **found)
    assert losing.mark_lost(file_id=file.pk) is is_lost


def test_a_cache_that_is_away_keeps_no_file_from_being_lost(storeroom: Path) -> None:
    file = store()
    Node.objects.create(name="far", disk_id=uuid.uuid4(), heartbeat_at=Now(), died_at=Now(), is_durable=False)
    Copy.objects.filter(file=file).update(state="missing")
    Copy.objects.filter(file=file, side="local").update(node="far", error="node_dead")
    assert losing.mark_lost(file_id=file.pk)


def test_a_copy_condemned_while_somebody_holds_it_is_due_when_he_is_done(storeroom: Path) -> None:
    file = store()
    Copy.objects.filter(file=file, side="cloud").update(lease_token=uuid.uuid4(), lease_until=in_seconds(60))
    healing.condemn_in_cloud(file=file, side=space(), etag="")
    assert Copy.objects.filter(file=file, side="cloud", state="corrupt", next_attempt_at__lte=Now()).exists()
