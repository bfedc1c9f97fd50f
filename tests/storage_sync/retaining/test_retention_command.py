"""`manage.py retention`: JSON alone on request, nothing irrevocable without --yes."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from storage_sync.models import RetentionPolicy, StoredFile
from storage_sync.retaining import holding
from tests.storage_sync.retaining.ageing import archived, fresh, policy, stored

pytestmark = pytest.mark.django_db


def retention(*words: str) -> str:
    told = io.StringIO()
    call_command("retention", *words, stdout=told)
    return told.getvalue()


def as_json(*words: str) -> Any:
    return json.loads(retention(*words, "--json"))


def test_policies_are_set_changed_listed_and_removed() -> None:
    tenant = str(uuid.uuid4())
    assert "no policies" in retention("list")
    made = as_json("set", "recordings", "--tenant", tenant, "--archive-after", "90", "--purge-after", "30")
    assert (made["organization"], made["archive_after_days"], made["purge_after_days"]) == (tenant, 90, 30)
    changed = as_json("set", "recordings", "--tenant", tenant, "--purge-after", "never")
    assert (changed["id"], changed["archive_after_days"], changed["purge_after_days"]) == (made["id"], 90, None)
    general = as_json("set", "minutes", "--purge-after", "7")
    assert {row["id"] for row in as_json("list")} == {made["id"], general["id"]}
    assert "archived after 90 days, never purged" in retention("list", "--category", "recordings")
    assert as_json("remove", made["id"]) == {"removed": made["id"]}
    assert [str(row.pk) for row in RetentionPolicy.objects.all()] == [general["id"]]


@pytest.mark.parametrize(
    "words",
    [
        ["set", "recordings"],
        ["set", "recordings", "--purge-after", "0"],
        ["set", "recordings", "--purge-after", "soon"],
        ["set", "nonsense", "--purge-after", "1"],
        ["remove", str(uuid.uuid4())],
        ["preview", "--days", "-1"],
        ["run", "--max", "-1"],
        ["purge", str(uuid.uuid4()), "--reason", "x", "--yes"],
    ],
)
def test_what_makes_no_sense_is_an_error_and_changes_nothing(words: list[str]) -> None:
    with pytest.raises(CommandError):
        retention(*words)
    assert not RetentionPolicy.objects.exists()


def test_a_dry_run_says_what_the_run_does(storeroom: Path) -> None:
    policy(archive_after_days=30, purge_after_days=7)
    old, gone, held = stored(days=31), archived(days=8), archived(days=8)
    holding.put_hold(file_id=held.pk, reason="A lawsuit.")
    plan = as_json("run", "--dry-run")
    assert (plan["archive"]["now"]["files"], plan["purge"]["now"]["files"], plan["held"]["files"]) == (1, 1, 1)
    assert "Kept by legal hold: 1 files" in retention("preview", "--days", "3")
    assert (fresh(old).state, fresh(gone).state) == ("stored", "archived")
    assert as_json("run") == {"archived": 1, "purging": 1}
    assert (fresh(old).state, fresh(gone).state) == ("archived", "purging")
    assert as_json("run", "--max", "0") == {"archived": 0, "purging": 0}


def test_an_operators_purge_wants_a_yes_and_stops_at_what_is_held(storeroom: Path) -> None:
    file, held, live = archived(), archived(), stored()
    holding.put_hold(file_id=held.pk, reason="A lawsuit.")
    with pytest.raises(CommandError, match="--yes"):
        retention("purge", str(file.pk), "--reason", "Asked for.")
    assert fresh(file).state == "archived"
    for other in (held, live):
        with pytest.raises(CommandError):
            retention("purge", str(other.pk), "--reason", "Asked for.", "--yes")
    assert as_json("purge", str(file.pk), "--reason", "Asked for.", "--yes") == {"purging": [str(file.pk)]}
    assert StoredFile.objects.filter(state="purging").count() == 1
