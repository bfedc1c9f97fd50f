"""What is cleared away for good, and what never is."""

from __future__ import annotations

import datetime as dt
import os
import time
import uuid
from pathlib import Path

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from storage_sync.damage import quarantining
from storage_sync.inspecting import clearing
from storage_sync.models import StoredFile, UnknownObject, Upload
from storage_sync.retaining import archiving, holding
from storage_sync.sides.cloud import CloudSide, OpenMultipart
from storage_sync.sides.local import local
from tests.storage_sync.making import WORDS, on_disk, put_in_cloud, space, store

pytestmark = pytest.mark.django_db
DAY_NS = 86_400 * 10**9


def test_what_is_put_aside_on_a_disk_stays_a_month_however_old_it_is(storeroom: Path) -> None:
    file = store()
    os.utime(on_disk(file), (0, 0))
    quarantining.put_aside(side=local(), key=file.key)
    [path] = (storeroom / "quarantine").iterdir()
    assert clearing.clear_disk()["quarantined"] == 0
    path.rename(path.with_name(f"{file.key.replace('/', '_')}.{time.time_ns() - 31 * DAY_NS}"))
    (storeroom / "quarantine" / "by hand.txt").write_bytes(b"x")
    (storeroom / "quarantine" / "folder").mkdir()
    assert clearing.clear_disk()["quarantined"] == 1
    assert sorted(path.name for path in (storeroom / "quarantine").iterdir()) == ["by hand.txt", "folder"]


def test_what_is_put_aside_in_the_space_stays_a_month(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    names = [quarantining.quarantine_key("recordings/x", at_ns=now - days * DAY_NS) for days in (40, 31, 29, 0)]
    for name in (*names, "quarantine/by-hand"):
        put_in_cloud(name, b"x")
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=60)
    real = CloudSide.page
    pages: list[object] = []

    def aged(side: CloudSide, **asked: object) -> object:
        page = real(side, **{**asked, "limit": 1})  # type: ignore[arg-type]  # the arguments of the call
        pages.append(page)
        return type(page)([type(found)(found.key, found.size, old) for found in page.found], page.after)

    monkeypatch.setattr(CloudSide, "page", aged)
    assert clearing.clear_space()["quarantined"] == 2
    monkeypatch.setattr(CloudSide, "page", real)
    assert [found.key for found in space().page().found] == [*names[2:], "quarantine/by-hand"]
    assert len(pages) == 3, "read as far as it is old"


def aged_and_put_aside(storeroom: Path, file: StoredFile) -> Path:
    """What lay on both sides is in quarantine since more than a month; where it is on the disk."""
    long_ago = time.time_ns() - 31 * DAY_NS
    put_in_cloud(quarantining.quarantine_key(file.key, at_ns=long_ago), WORDS)
    quarantining.put_aside(side=local(), key=file.key)
    [path] = (storeroom / "quarantine").iterdir()
    return path.rename(path.with_name(f"{file.key.replace('/', '_')}.{long_ago}"))


@pytest.mark.parametrize("in_archive", [False, True])
@pytest.mark.parametrize("why", ["held", "lost"])
def test_what_was_put_aside_of_a_held_or_a_lost_file_stays_until_that_is_over(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, why: str, in_archive: bool
) -> None:
    file = store()
    if in_archive:
        archiving.archive(file)
        archiving.move_archived()
        file.refresh_from_db()
    aside = aged_and_put_aside(storeroom, file)
    monkeypatch.setattr(clearing, "QUARANTINE_SECONDS", -60)
    StoredFile.objects.filter(pk=file.pk).update(state="lost" if why == "lost" else "quarantined")
    if why == "held":
        holding.put_hold(file_id=file.pk, reason="A court asks for it.")
    assert (clearing.clear_disk()["quarantined"], clearing.clear_space()["quarantined"]) == (0, 0)
    assert aside.read_bytes() == WORDS
    assert len(space().page(prefix="quarantine/").found) == 1
    if why == "held":
        holding.lift_hold(file_id=file.pk)
    StoredFile.objects.filter(pk=file.pk).update(state="quarantined")
    assert (clearing.clear_disk()["quarantined"], clearing.clear_space()["quarantined"]) == (1, 1)


def test_live_files_and_other_prefixes_are_not_looked_at(storeroom: Path) -> None:
    file = store()
    put_in_cloud("backup/daily/1600000000000000000/x", b"x")
    put_in_cloud("canary/canary.txt", b"x")
    clearing.clear_space()
    clearing.clear_disk()
    assert space().head(key=file.key) is not None
    assert len(space().page().found) == 3


def test_parts_that_nobody_will_complete_are_forgotten(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()
    reserved, uploading, dead, archived = (f"recordings/2026/11/{uuid.uuid4()}/{name}" for name in "abcd")
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    StoredFile.objects.filter(pk=file.pk).update(
        key=reserved, state="reserved", lease_token=file.pk, lease_until=in_seconds(9)
    )
    Upload.objects.create(
        kind="chunks", purpose="recording", category="recordings", name="x", content_type="audio/flac", size=9,
        key=uploading, owner_id=file.pk, expires_at=Now(),
    )  # fmt: skip
    everything = [reserved, uploading, dead, f"archive/{archived}", "backup/daily/x", "recordings/not a key"]
    aborted: list[str] = []
    asked: list[dt.datetime] = []

    def listed(side: CloudSide, *, before: dt.datetime) -> list[OpenMultipart]:
        asked.append(before)
        return [OpenMultipart(key, "id", begun) for key in everything]

    monkeypatch.setattr(CloudSide, "open_multiparts", listed)
    monkeypatch.setattr(CloudSide, "abort_multipart", lambda side, *, key, upload_id: aborted.append(key))
    assert clearing.clear_space()["multiparts"] == 2
    assert aborted == [dead, f"archive/{archived}"]
    assert dt.timedelta(hours=23) < dt.datetime.now(dt.UTC) - asked[0] < dt.timedelta(hours=25)


def test_a_real_upload_in_parts_is_aborted_once_it_is_old(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = f"recordings/2026/11/{uuid.uuid4()}/x"
    side = space()
    side.client.create_multipart_upload(Bucket=side.space.bucket, Key=key)
    assert clearing.clear_space()["multiparts"] == 0
    monkeypatch.setattr(clearing, "MULTIPART_AGE", dt.timedelta(seconds=-60))
    assert clearing.clear_space()["multiparts"] == 1
    assert list(side.open_multiparts(before=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))) == []


def test_notes_of_unknown_objects_go_with_them(storeroom: Path) -> None:
    for days in (31, 29):
        UnknownObject.objects.create(
            side="cloud", key=f"recordings/{days}", size=1, first_seen_at=Now(), last_seen_at=Now(),
            quarantined_at=in_seconds(-days * 86_400),
        )  # fmt: skip
    clearing.clear_space()
    assert UnknownObject.objects.get().key == "recordings/29"


def test_a_space_that_is_away_is_cleared_another_time(storeroom: Path, settings: Settings) -> None:
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    assert clearing.clear_space().total() == 0
    settings.SPACES_ENDPOINT = ""
    assert clearing.clear_space().total() == 0
