"""Inspections that happen by themselves: hourly slices, a list a day, and again soon when one was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from storage_sync.inspecting import canary, ordering
from storage_sync.inspecting.reconciling import Order, reconcile
from storage_sync.models import Inspection, InspectionKind
from storage_sync.presence import chores
from tests.storage_sync.inspecting.running import some
from tests.storage_sync.making import on_disk, space

pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return [f"{one.kind}:{'+'.join(one.verdicts)}" for one in Inspection.objects.order_by("created_at", "id")]


def test_a_disk_and_the_space_are_listed_once_a_day_and_read_every_hour(storeroom: Path) -> None:
    some()
    ordering.inspect_disk()
    ordering.inspect_space()
    assert kinds() == ["reconciliation:local", "scrub:local", "reconciliation:cloud", "scrub:cloud"]
    ordering.inspect_disk()
    ordering.inspect_space()
    assert kinds()[4:] == ["scrub:local", "scrub:cloud"]
    Inspection.objects.update(created_at=in_seconds(-24 * 3600))
    ordering.inspect_disk()
    assert kinds().count("reconciliation:local") == 2


def test_other_nodes_and_other_runs_do_not_count(storeroom: Path, settings: Settings) -> None:
    some()
    reconcile(Order(is_dry_run=True))
    reconcile(Order(categories=["minutes"]))
    settings.STORAGE_NODE, here = "elsewhere", settings.STORAGE_NODE
    Inspection.objects.create(
        kind=InspectionKind.RECONCILIATION, node="elsewhere", verdicts={"local": {}}, finished_at=in_seconds(0)
    )
    settings.STORAGE_NODE = here
    ordering.inspect_disk()
    assert kinds()[-2:] == ["reconciliation:local", "scrub:local"]
    Inspection.objects.filter(kind="scrub").delete()
    ordering.inspect_disk()
    assert kinds()[-1] == "scrub:local"
    assert kinds().count("reconciliation:local") == 2


def test_one_that_a_guard_stopped_is_tried_again(storeroom: Path) -> None:
    some()
    ordering.inspect_space()
    Inspection.objects.update(created_at=in_seconds(-24 * 3600))
    space().delete(key=canary.KEY)
    ordering.inspect_space()
    ordering.inspect_space()
    assert Inspection.objects.exclude(aborted="").count() == 2


def test_without_a_space_there_is_none_to_look_at(storeroom: Path, settings: Settings) -> None:
    settings.SPACES_ENDPOINT = ""
    file, *_ = some()
    ordering.inspect_space()
    assert kinds() == []
    ordering.inspect_disk()
    assert kinds() == ["reconciliation:local", "scrub:local"]
    assert on_disk(file).exists()


def test_every_node_has_its_disk_inspected() -> None:
    assert ordering.inspect_disk in [chore.run for chore in chores.TIMETABLE]
