"""`manage.py sync`: JSON alone on stdout, exit status that says what is left, nothing done by a dry run."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from storage_sync.models import Copy
from storage_sync.vocabulary import CopyState, SideName
from tests.storage_sync.making import on_disk, store
from tests.storage_sync.syncing.due import cloud_copy, lay

pytestmark = pytest.mark.django_db(transaction=True)


def sync(*words: str) -> tuple[int, str]:
    """The exit status and what is on stdout."""
    told = io.StringIO()
    try:
        call_command("sync", *words, stdout=told, stderr=io.StringIO())
    except SystemExit as left:
        return int(str(left.code)), told.getvalue()
    return 0, told.getvalue()


def sync_json(*words: str) -> tuple[int, dict[str, Any]]:
    status, told = sync(*words, "--json")
    found: dict[str, Any] = json.loads(told)
    return status, found


def test_run_makes_what_is_due_and_says_so(storeroom: Path) -> None:
    lay(b"12345")
    assert sync_json("run") == (
        0,
        {"made": 1, "found": 0, "failed": 0, "moot": 0, "moved_bytes": 5, "errors": {}, "stopped": "", "left": 0},
    )
    assert sync("run")[0] == 0


def test_run_ends_with_one_when_something_is_left(storeroom: Path) -> None:
    file = lay()
    Copy.objects.filter(file=file, side=SideName.LOCAL).delete()
    on_disk(file).unlink()
    status, told = sync_json("run")
    assert (status, told["left"], told["errors"]) == (1, 1, {"no_source": 1})


def test_a_dry_run_does_nothing(storeroom: Path) -> None:
    file = lay(b"12345")
    status, told = sync_json("run", "--dry-run")
    assert (status, told["copies"]) == (0, 1)
    assert told["piles"][0]["held_bytes"] == 5
    assert cloud_copy(file).state == CopyState.PENDING
    assert "recordings to the Space: 1 copies, 5 bytes, 1 due" in sync("run", "--dry-run")[1]


def test_only_the_categories_given(storeroom: Path) -> None:
    wanted, also, other = lay(category="minutes"), lay(category="exports"), lay()
    assert sync_json("run", "--category", "minutes", "--category", "exports")[1]["made"] == 2
    assert [cloud_copy(file).state for file in (wanted, also, other)] == ["present", "present", "pending"]
    with pytest.raises(CommandError, match="invalid choice"):
        sync("run", "--category", "nonsense")


def test_status_tells_of_all_nodes_and_changes_nothing(storeroom: Path) -> None:
    assert sync("status") == (0, "Nothing is to be made.\n")
    lay(node="elsewhere")
    status, told = sync_json("status")
    assert (status, told["copies"], told["piles"][0]["side"]) == (0, 1, "cloud")
    assert "recordings to the Space: 1 copies" in sync("status")[1]


def test_pull_brings_what_the_space_has_to_a_durable_disk(storeroom: Path, settings: Settings) -> None:
    files = [store(os.urandom(50)) for _ in range(3)]
    other = store(category="exports")
    settings.STORAGE_PATH, settings.STORAGE_NODE = storeroom.parent / "another", "newcomer"
    settings.DISK_DURABLE = False
    with pytest.raises(CommandError, match="cache") as refused:
        sync("pull")
    assert refused.value.returncode == 2
    settings.DISK_DURABLE = True
    assert sync_json("pull", "--category", "recordings", "--dry-run") == (0, {"would_fetch": 3, "bytes": 150})
    assert not Copy.objects.filter(node="newcomer").exists()
    status, told = sync_json("pull", "--category", "recordings")
    assert (status, told["made"]) == (0, 3)
    assert all(on_disk(file).is_file() for file in files)
    assert not on_disk(other).exists()


def test_an_interruption_is_no_traceback(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("storage_sync.management.commands.sync.run", interrupted)
    assert sync("run") == (130, "")
