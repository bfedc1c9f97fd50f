"""`manage.py storage`: exit codes, JSON alone on stdout, and sentences for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from storage_sync.models import Copy, Node, StoredFile
from storage_sync.reporting import status, storytelling
from tests.storage_sync.inspecting.running import some
from tests.storage_sync.making import WORDS, flip_a_bit, on_disk, overwrite, space, store

pytestmark = pytest.mark.django_db


def storage(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """The exit code, and what --json printed."""
    capsys.readouterr()
    code = 0
    try:
        call_command("storage", *words, "--json")
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(capsys.readouterr().out)


def test_reconcile_says_by_its_exit_code_how_it_ended(storeroom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, *_ = some()
    code, told = storage(capsys, "reconcile")
    assert (code, told["differences"], told["aborted"]) == (0, 0, None)
    space().delete(key=file.key)
    code, told = storage(capsys, "reconcile", "--dry-run")
    assert (code, told["differences"], told["examples"]) == (1, 1, {"missing": [file.key]})
    code, told = storage(capsys, "reconcile", "--side", "local")
    assert (code, list(told["verdicts"])) == (0, ["local"])
    assert storage(capsys, "reconcile", "--category", "minutes")[0] == 0
    assert storage(capsys, "reconcile")[0] == 1
    assert storage(capsys, "reconcile")[0] == 0, "it is known and due by now"
    space().delete(key="canary/canary.txt")
    code, told = storage(capsys, "reconcile")
    assert (code, told["aborted"].split(":")[0], told["verdicts"]) == (2, "canary", {})
    assert storage(capsys, "reconcile", "--force-guard", "canary")[0] == 0


def test_reconcile_goes_on_saying_that_a_file_is_lost(storeroom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, *_ = some()
    space().delete(key=file.key)
    on_disk(file).unlink()
    Copy.objects.filter(file=file).update(updated_at=in_seconds(-9_999))
    storage(capsys, "reconcile")
    Copy.objects.filter(file=file).update(updated_at=in_seconds(-9_999))
    for _ in range(2):
        code, told = storage(capsys, "reconcile")
        assert StoredFile.objects.get(pk=file.pk).state == "lost"
        assert (code, told["lost"]) == (1, 1)
    assert "1 files are lost" in storytelling.of_reconciliation(told)
    code, told = storage(capsys, "status")
    assert (told["files"]["lost"], sum(side["to_be_made"] for side in told["sides"])) == (1, 0)
    assert "1 lost" in storytelling.of_status(status.status())


def test_a_guard_that_cannot_be_overruled_is_refused(storeroom: Path) -> None:
    with pytest.raises(CommandError):
        call_command("storage", "reconcile", "--force-guard", "listing")


def test_scrub_reads_and_finds(storeroom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, *_ = some()
    code, told = storage(capsys, "scrub", "--all", "--rate", "0")
    assert (code, told["files"], told["bytes_read"]) == (0, 6, 2 * 3 * file.size)
    overwrite(on_disk(file), flip_a_bit(WORDS + bytes([0])))
    assert storage(capsys, "scrub", "--all", "--side", "local")[0] == 1
    assert storage(capsys, "scrub", "--all")[0] == 0


def test_sweep_settles_what_is_left(storeroom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = store()
    StoredFile.objects.update(state="reserved", lease_token=file.pk, lease_until=in_seconds(-1))
    code, told = storage(capsys, "sweep")
    assert (code, told["reservations"]["finished"]) == (0, 1)
    assert set(told) == {"reservations", "uploads", "disk", "space", "remnants"}


def test_status_and_nodes(storeroom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = store()
    Node.objects.create(name="here", disk_id=file.pk, heartbeat_at=Now())
    code, told = storage(capsys, "status")
    assert (code, told["files"], [side["side"] for side in told["sides"]]) == (0, {"stored": 1}, ["local", "cloud"])
    assert [node["node"] for node in storage(capsys, "nodes")[1]] == ["here"]


@pytest.mark.parametrize("by", ["pk", "key", "sha256"])
def test_ledger_tells_everything_about_one_file(storeroom: Path, capsys: pytest.CaptureFixture[str], by: str) -> None:
    file = store()
    space().delete(key=file.key)
    code, told = storage(capsys, "ledger", str(getattr(file, by)))
    assert (code, told["file"]["id"], told["file"]["durability"]) == (0, str(file.pk), "both")
    assert "sealed_key" not in told["file"]
    assert {copy["side"]: copy["state"] for copy in told["copies"]} == {"local": "present", "cloud": "present"}
    now = {seen["side"]: seen["found"] for seen in told["sides_now"] if seen["key"] == file.key}
    assert now == {"local": True, "cloud": False}, "what the sides say now, not what the rows say"
    assert [entry["action"] for entry in told["history"]] == ["file.stored"]


def test_ledger_of_several_files_and_of_none(storeroom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, _ = store(), store()
    assert first.sha256 is not None
    assert len(storage(capsys, "ledger", first.sha256)[1]) == 2
    for nothing in ("0" * 64, "recordings/x", "0190a0d0-0000-7000-8000-000000000000", "../../etc/passwd", "é"):
        with pytest.raises(CommandError):
            call_command("storage", "ledger", nothing)


def test_people_are_told_in_sentences(storeroom: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, *_ = some()
    space().delete(key=file.key)
    with pytest.raises(SystemExit):
        call_command("storage", "reconcile")
    call_command("storage", "status")
    call_command("storage", "sweep")
    call_command("storage", "scrub", "--all")
    out = capsys.readouterr().out
    for sentence in (
        "local: 3 agree", "cloud: 2 agree, 1 missing", f"missing:\n  {file.key}", "6 keys compared, 1 differences.",
        "cloud: 2 files", "1 to be made", "oldest pending", "uploads: 0 open", "No node has given a sign of life.",
        "disk: nothing to do", "0 differences.",
    ):  # fmt: skip
        assert sentence in out, sentence
    Copy.objects.update(verified_at=in_seconds(-5 * 86_400))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "nothing"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 d"), (864_000, "10 d")],
)
def test_ages_are_told_roughly(seconds: float | None, told: str) -> None:
    assert storytelling.age(seconds) == told
