"""Drift heals by itself on both sides (guarantee G15): delete and corrupt on each, reconcile, scrub, sync, compare."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db.models.functions import Now

from storage_sync.damage import quarantining
from storage_sync.inspecting.reconciling import reconcile
from storage_sync.inspecting.scrubbing import Slice, scrub
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import archiving, following
from storage_sync.syncing import run as sync
from tests.storage_sync.inspecting.running import cloud_keys, run
from tests.storage_sync.making import flip_a_bit, on_disk, overwrite, put_in_cloud, space, store

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_kind_of_drift_on_both_sides_at_once(storeroom: Path) -> None:
    contents = {}
    for number in range(40):
        data = os.urandom(20_000 + number)
        contents[store(data, category=("recordings", "minutes")[number % 2]).pk] = data
    files = list(StoredFile.objects.order_by("pk"))
    archiving.archive(files[0])
    for _ in range(2):
        archiving.move_archived()
        StoredFile.objects.exclude(other_key="").update(other_key_until=Now())
    following.follow_moves()
    files = list(StoredFile.objects.order_by("pk"))
    assert run().differences == 0
    # Never both copies of one file, and less than a fifth of a side: beyond that a guard asks an operator.
    for file in files[0:3]:
        space().delete(key=file.key)
    for file in files[3:6]:
        on_disk(file).unlink()
    put_in_cloud(files[6].key, b"short")
    overwrite(on_disk(files[7]), b"short")
    put_in_cloud(files[8].key, flip_a_bit(contents[files[8].pk]))
    overwrite(on_disk(files[9]), flip_a_bit(contents[files[9].pk]))
    quarantining.put_aside(side=space(), key=files[10].key)
    found = run().inspection.verdicts
    assert found["cloud"]["missing"] + found["cloud"]["damaged"] == 6
    assert found["local"]["missing"] + found["local"]["damaged"] == 4
    assert scrub(Slice(rate=None)).verdicts["local"]["damaged"] == 1, "a flipped bit is only found by reading"
    done = sync()
    assert (done.made + done.found, done.failed) == (11, 0)
    for file in files:
        assert b"".join(space().read(key=file.key)) == contents[file.pk]
        assert on_disk(file).read_bytes() == contents[file.pk]
    assert not Copy.objects.exclude(state="present").exists()
    assert run().differences == 0
    assert set(scrub(Slice(rate=None)).verdicts["cloud"]) == {"agree"}
    assert len([key for key in cloud_keys() if key.startswith("quarantine/")]) == 3


def test_a_dry_run_before_and_nothing_left_to_do_after(storeroom: Path) -> None:
    files = [store(os.urandom(100)) for _ in range(6)]
    run()
    space().delete(key=files[0].key)
    on_disk(files[1]).unlink()
    would = run(is_dry_run=True).inspection.verdicts
    did = reconcile().inspection.verdicts
    assert would == did
    sync()
    assert run().differences == 0
