"""Bytes that no readable file explains: unknown ones, leftovers, and what work under way accounts for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from storage_sync import keys
from storage_sync.models import Copy, Remnant, StoredFile, UnknownObject, Upload
from storage_sync.retaining import archiving
from storage_sync.sides.local import local
from tests.storage_sync.inspecting.running import audited, cloud_keys, counts, run, some, stray
from tests.storage_sync.making import (
    names_below,
    on_disk,
    put_in_cloud,
    space,
)

pytestmark = pytest.mark.django_db


def test_an_unknown_object_is_left_alone_for_a_week_and_two_sightings(storeroom: Path) -> None:
    some()
    key = stray()
    outcome = run()
    assert (counts(outcome, "local")["unknown"], counts(outcome, "cloud")["unknown"]) == (1, 1)
    assert (outcome.differences, outcome.examples["unknown"]) == (0, [key, key])
    assert UnknownObject.objects.filter(key=key, sightings=1, quarantined_at=None).count() == 2
    run()
    assert UnknownObject.objects.filter(key=key, sightings=2).count() == 2
    UnknownObject.objects.update(first_seen_at=in_seconds(-7 * 86_400 + 60))
    assert counts(run(), "cloud")["unknown"] == 1
    UnknownObject.objects.update(first_seen_at=in_seconds(-7 * 86_400 - 60))
    outcome = run()
    assert (counts(outcome, "local")["quarantined"], counts(outcome, "cloud")["quarantined"]) == (1, 1)
    assert space().head(key=key) is None
    [aside] = [name for name in cloud_keys() if name.startswith("quarantine/")]
    assert b"".join(space().read(key=aside)) == b"nobody's"
    assert [name for name in names_below(storeroom) if name.startswith("quarantine/")]
    assert "storage.object_quarantined" in audited()
    assert run().differences == 0


def test_a_single_old_sighting_is_not_enough(storeroom: Path) -> None:
    some()
    key = stray()
    run()
    UnknownObject.objects.update(first_seen_at=in_seconds(-30 * 86_400), last_seen_at=in_seconds(-30 * 86_400))
    put_in_cloud(key, b"another thing of that name")
    outcome = run()
    assert (counts(outcome, "local")["quarantined"], counts(outcome, "cloud")["unknown"]) == (1, 1)


def test_an_unknown_object_that_went_away_is_forgotten(storeroom: Path) -> None:
    some()
    key = stray()
    run()
    space().delete(key=key)
    local().delete(key=key)
    run(categories=["minutes"])
    assert UnknownObject.objects.count() == 2, "a partial listing says nothing about it"
    run()
    assert not UnknownObject.objects.exists()


def test_other_rooms_prefixes_are_out_of_bounds(storeroom: Path) -> None:
    some()
    for key in ("backup/daily/manifest.jsonl", "quarantine/1/recordings/x", "somebody/elses.txt", "top.txt"):
        put_in_cloud(key, b"x")
    (storeroom / "backup" / "daily" / "x").write_bytes(b"x")
    assert run().inspection.verdicts == {"local": {"agree": 3}, "cloud": {"agree": 3}}


def test_names_that_cannot_be_ours_are_told_of_and_never_touched(storeroom: Path) -> None:
    some()
    put_in_cloud("recordings/my dog.mp3", b"x")
    strange = storeroom / "recordings" / os.fsdecode(b"\xff\xfe.mp3")
    strange.write_bytes(b"x")
    outcome = run()
    assert (counts(outcome, "local")["foreign"], counts(outcome, "cloud")["foreign"]) == (1, 1)
    assert strange.exists()
    assert not UnknownObject.objects.exists()


def test_work_under_way_explains_its_bytes(storeroom: Path) -> None:
    moved, reserved, *_ = some(4)
    archiving.archive(moved)
    archiving.move_archived()
    moved.refresh_from_db()
    assert moved.other_key, "its old key keeps the bytes while links to it work"
    StoredFile.objects.filter(pk=reserved.pk).update(
        state="reserved", lease_token=reserved.pk, lease_until=in_seconds(60), stored_at=None
    )
    for name in ("upload", "tail", "remnant"):
        put_in_cloud(f"recordings/2026/11/0190a0d0-0000-7000-8000-00000000000a/{name}", b"x")
    Upload.objects.create(
        kind="chunks", purpose="recording", category="recordings", name="x", content_type="audio/flac", size=9,
        key="recordings/2026/11/0190a0d0-0000-7000-8000-00000000000a/upload",
        tail_key="recordings/2026/11/0190a0d0-0000-7000-8000-00000000000a/tail",
        owner_id=moved.pk, expires_at=in_seconds(60),
    )  # fmt: skip
    Remnant.objects.create(
        side="cloud",
        key="recordings/2026/11/0190a0d0-0000-7000-8000-00000000000a/remnant",
        until=in_seconds(60),
        due_at=in_seconds(60),
    )
    outcome = run()
    assert counts(outcome, "cloud") == {"agree": 3, "explained": 5}
    assert counts(outcome, "local") == {"agree": 3, "explained": 2}


def test_a_copy_that_still_lies_under_its_other_name_is_left_to_its_node(storeroom: Path) -> None:
    file, *_ = some()
    StoredFile.objects.filter(pk=file.pk).update(
        state="archived", archived_at=Now(), key=keys.archive_key(file.key)
    )  # fmt: skip
    space().copy(key=file.key, to=keys.archive_key(file.key))
    space().delete(key=file.key)
    Copy.objects.filter(file=file, side="local").update(next_attempt_at=Now())
    outcome = run()
    assert counts(outcome, "local") == {"agree": 2, "busy": 1, "explained": 1}
    assert outcome.differences == 0


def test_what_an_abandoned_receipt_left_is_given_to_the_sweeper(storeroom: Path, settings: Settings) -> None:
    file, *_ = some()
    StoredFile.objects.filter(pk=file.pk).update(state="abandoned")
    Copy.objects.filter(file=file).update(state="missing", next_attempt_at=None)
    outcome = run()
    assert (counts(outcome, "local")["leftover"], counts(outcome, "cloud")["leftover"]) == (1, 1)
    assert set(Copy.objects.leftovers(node=settings.STORAGE_NODE).values_list("file", flat=True)) == {file.pk}


def test_what_is_left_of_a_purged_file_is_removed(storeroom: Path) -> None:
    file, *_ = some()
    StoredFile.objects.filter(pk=file.pk).update(state="purged", purged_at=Now())
    Copy.objects.filter(file=file).update(state="missing", next_attempt_at=None)
    outcome = run()
    assert (counts(outcome, "local")["removed"], counts(outcome, "cloud")["removed"]) == (1, 1)
    assert file.key not in cloud_keys()
    assert not on_disk(file).exists()
