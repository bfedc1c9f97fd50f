"""Reconciling, verdict by verdict: what is found, what becomes of it, and that the second run finds nothing."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from storage_sync.inspecting import listing, reconciling, surveying
from storage_sync.models import Copy, Inspection, Node, StoredFile, UnknownObject
from storage_sync.sides.cloud import CloudSide
from storage_sync.signals import file_lost
from storage_sync.vocabulary import SideName
from tests.storage_sync.inspecting.running import audited, cloud_keys, counts, run, some, stray
from tests.storage_sync.making import (
    WORDS,
    flip_a_bit,
    names_below,
    on_disk,
    overwrite,
    put_in_cloud,
    space,
    state_of_copies,
    store,
)

pytestmark = pytest.mark.django_db


def test_what_agrees_is_counted_and_left_alone(storeroom: Path, settings: Settings) -> None:
    some()
    outcome = run()
    assert outcome.inspection.verdicts == {"local": {"agree": 3}, "cloud": {"agree": 3}}
    assert (outcome.differences, outcome.inspection.files, outcome.inspection.node) == (0, 6, settings.STORAGE_NODE)
    assert outcome.inspection.finished_at is not None


def test_an_object_that_is_gone_is_due_to_be_made_again(storeroom: Path) -> None:
    file, *_ = some()
    space().delete(key=file.key)
    outcome = run()
    assert counts(outcome, "cloud") == {"agree": 2, "missing": 1}
    assert (outcome.differences, outcome.examples) == (1, {"missing": [file.key]})
    copy = Copy.objects.get(file=file, side="cloud")
    assert copy.state == "missing"
    assert copy.next_attempt_at is not None
    assert copy.next_attempt_at <= timezone.now() + timedelta(seconds=5)
    assert "file.copy_inspected" in audited()
    assert run().differences == 0, "it is known and due by now"


def test_a_file_gone_from_the_disk_is_due_to_be_made_again(storeroom: Path) -> None:
    file, *_ = some()
    on_disk(file).unlink()
    assert counts(run(), "local") == {"agree": 2, "missing": 1}
    assert Copy.objects.get(file=file, side="local").next_attempt_at is not None


def test_a_copy_of_another_size_is_put_aside_and_due(storeroom: Path) -> None:
    in_space, here, _ = some()
    put_in_cloud(in_space.key, b"short")
    overwrite(on_disk(here), b"short")
    outcome = run()
    assert counts(outcome, "cloud") == {"agree": 2, "damaged": 1}
    assert counts(outcome, "local") == {"agree": 2, "damaged": 1}
    assert state_of_copies(in_space) == {"local": "present", "cloud": "corrupt"}
    assert state_of_copies(here) == {"local": "corrupt", "cloud": "present"}
    assert space().head(key=in_space.key) is None
    [aside] = [key for key in cloud_keys() if key.startswith("quarantine/")]
    assert aside.endswith(in_space.key)
    assert b"".join(space().read(key=aside)) == b"short"
    assert len(names_below(storeroom / "quarantine")) == 1
    assert Copy.objects.filter(state="corrupt", next_attempt_at__lte=Now()).count() == 2


def test_an_object_of_the_right_size_and_another_etag_is_read(storeroom: Path) -> None:
    changed, moved, _ = some()
    put_in_cloud(changed.key, flip_a_bit(WORDS + bytes([0])))
    StoredFile.objects.filter(pk=moved.pk).update(md5="0" * 32, composite_md5="0" * 32 + "-1")
    assert counts(run(), "cloud") == {"agree": 1, "changed_meanwhile": 1, "damaged": 1}
    assert state_of_copies(moved)["cloud"] == "present", "only its ETag is made differently"


def test_bytes_the_ledger_did_not_know_of_are_adopted(storeroom: Path) -> None:
    file, *_ = some()
    Copy.objects.filter(file=file, side="cloud").update(state="missing", next_attempt_at=None)
    Copy.objects.filter(file=file, side="local").delete()
    outcome = run()
    assert (counts(outcome, "local")["adopted"], counts(outcome, "cloud")["adopted"]) == (1, 1)
    assert state_of_copies(file) == {"local": "present", "cloud": "present"}
    assert run().differences == 0


def test_wrong_bytes_the_ledger_did_not_know_of_are_put_aside(storeroom: Path) -> None:
    file, *_ = some()
    Copy.objects.filter(file=file, side="local").update(state="missing", updated_at=in_seconds(-10_000))
    overwrite(on_disk(file), flip_a_bit(WORDS + bytes([0])))
    assert counts(run(), "local")["damaged"] == 1
    assert not on_disk(file).exists()
    assert state_of_copies(file) == {"local": "corrupt", "cloud": "present"}


def test_a_copy_that_is_being_evicted_is_left_to_whoever_does_it(storeroom: Path) -> None:
    file, *_ = some()
    Copy.objects.filter(file=file, side="local").update(state="missing", next_attempt_at=None, updated_at=Now())
    assert counts(run(), "local") == {"agree": 2, "busy": 1}
    assert state_of_copies(file)["local"] == "missing"
    Copy.objects.filter(file=file, side="local").update(updated_at=in_seconds(-3600))
    assert counts(run(), "local") == {"adopted": 1, "agree": 2}


def test_a_file_from_before_there_was_a_space_is_due_there(storeroom: Path) -> None:
    file, *_ = some()
    Copy.objects.filter(file=file, side="cloud").delete()
    space().delete(key=file.key)
    assert counts(run(), "cloud") == {"agree": 2, "missing": 1}
    copy = Copy.objects.get(file=file, side="cloud")
    assert (copy.state, copy.next_attempt_at is not None) == ("pending", True)


def test_what_is_wrong_on_both_sides_is_lost_and_told_of(storeroom: Path) -> None:
    file, *_ = some()
    told: list[StoredFile] = []

    def hear(sender: object, file: StoredFile, **_: Any) -> None:
        told.append(file)

    file_lost.connect(hear)
    put_in_cloud(file.key, flip_a_bit(WORDS + bytes([0])))
    on_disk(file).unlink()
    try:
        outcome = run()
    finally:
        file_lost.disconnect(hear)
    assert outcome.inspection.verdicts["cloud"]["lost"] == 1
    file.refresh_from_db()
    assert (file.state, [one.pk for one in told]) == ("lost", [file.pk])
    assert "file.lost" in audited()
    assert space().head(key=file.key) is not None, "the wrong bytes may be the best there are"
    assert run().differences == 0


def test_a_lost_file_whose_bytes_turn_up_is_found_again(storeroom: Path) -> None:
    file, *_ = some()
    StoredFile.objects.filter(pk=file.pk).update(state="lost")
    Copy.objects.filter(file=file).update(state="missing", next_attempt_at=None, updated_at=in_seconds(-3600))
    space().delete(key=file.key)
    assert counts(run(), "local")["found_again"] == 1
    file.refresh_from_db()
    assert (file.state, state_of_copies(file)["local"]) == ("stored", "present")
    assert counts(run(), "cloud")["missing"] == 1


def test_what_may_lie_on_another_node_is_not_lost(storeroom: Path) -> None:
    living, asleep, _ = some()
    for file, state in ((living, "present"), (asleep, "missing")):
        Copy.objects.create(file=file, side="local", node="elsewhere", state=state, verified_at=timezone.now())
        on_disk(file).unlink()
        space().delete(key=file.key)
    Node.objects.create(
        name="elsewhere", disk_id=living.pk, is_durable=True, heartbeat_at=Now(), died_at=Now()
    )  # fmt: skip
    outcome = run()
    assert counts(outcome, "local") == {"agree": 1, "missing": 1, "unreachable": 1}
    assert not StoredFile.objects.filter(state="lost").exists()


def test_while_the_space_is_away_nothing_is_lost(storeroom: Path, settings: Settings) -> None:
    file, *_ = some()
    on_disk(file).unlink()
    Copy.objects.filter(file=file, side="cloud").update(state="missing", next_attempt_at=None)
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    outcome = run(sides=[SideName.LOCAL])
    assert counts(outcome, "local") == {"agree": 2, "unreachable": 1}
    assert StoredFile.objects.get(pk=file.pk).state == "stored"


def test_a_dry_run_says_what_would_be_done_and_does_nothing(storeroom: Path) -> None:
    gone, damaged, adopted, lost, _ = some(5)
    space().delete(key=gone.key)
    overwrite(on_disk(damaged), b"short")
    Copy.objects.filter(file=adopted, side="cloud").update(state="missing", next_attempt_at=None)
    space().delete(key=lost.key)
    on_disk(lost).unlink()
    key = stray()
    before = list(Copy.objects.order_by("pk").values())
    outcome = run(is_dry_run=True)
    assert counts(outcome, "cloud") == {"adopted": 1, "agree": 2, "lost": 1, "missing": 1, "unknown": 1}
    assert counts(outcome, "local") == {"agree": 3, "damaged": 1, "lost": 1, "unknown": 1}
    assert list(Copy.objects.order_by("pk").values()) == before
    assert not UnknownObject.objects.exists()
    assert on_disk(damaged).exists()
    assert space().head(key=key) is not None
    assert Inspection.objects.get().is_dry_run
    assert not StoredFile.objects.filter(state="lost").exists()


def test_one_category_at_a_time(storeroom: Path) -> None:
    recording, minutes = store(), store(category="minutes", extension="pdf", content_type="application/pdf")
    space().delete(key=recording.key)
    space().delete(key=minutes.key)
    put_in_cloud(f"{minutes.key}x", b"so that the list is not empty")
    outcome = run(categories=["minutes"], sides=[SideName.CLOUD])
    assert outcome.inspection.verdicts == {"cloud": {"missing": 1, "unknown": 1}}
    assert state_of_copies(recording)["cloud"] == "present"


def test_many_files_are_met_in_pages(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(surveying, "STRANGERS_AT_ONCE", 2)
    real = CloudSide.page
    monkeypatch.setattr(CloudSide, "page", lambda side, **asked: real(side, **{**asked, "limit": 2}))
    files = [store(WORDS + bytes([at]), category=("recordings", "minutes")[at % 2]) for at in range(14)]
    for file in files[:2]:
        space().delete(key=file.key)
    for number in range(5):
        put_in_cloud(f"recordings/2026/11/0190a0d0-0000-7000-8000-00000000000{number}/x", b"x")
    assert counts(run(), "cloud") == {"agree": 12, "missing": 2, "unknown": 5}


def test_a_file_that_changes_while_the_lists_are_read_is_no_difference(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, gone, _ = some()
    space().delete(key=late.key)
    real = surveying.survey

    def then_change(**asked: Any) -> Any:
        found = real(**asked)
        if asked["place"].is_cloud:
            put_in_cloud(late.key, WORDS + bytes([0]))
            put_in_cloud("recordings/2026/11/0190a0d0-0000-7000-8000-00000000000a/x", b"x")
        return found

    monkeypatch.setattr(reconciling, "survey", then_change)
    StoredFile.objects.filter(pk=gone.pk).update(key=gone.key)
    outcome = run()
    assert outcome.differences == 0
    assert counts(outcome, "cloud") == {"agree": 2, "changed_meanwhile": 1}


def test_a_second_run_at_once_is_quick(storeroom: Path) -> None:
    some(5)
    run()
    began = time.monotonic()
    run()
    assert time.monotonic() - began < 5
