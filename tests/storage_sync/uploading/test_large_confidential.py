"""Confidential uploads and the disk that must hold their sealed file: refused at once, or kept until there is room."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from chatvista.foundation.ciphers import sealed_size
from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem
from storage_sync.models import StoredFile, Upload, UploadState
from storage_sync.sides.local import LocalSide
from storage_sync.uploading import parting, sweeping
from storage_sync.uploading.sweeping import sweep
from storage_sync.uploading.taking import take_chunk
from tests.storage_sync.making import space
from tests.storage_sync.uploading.conftest import Begin, Notes
from tests.storage_sync.uploading.sources import MIB, Sent, noise

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes", "patient_leases")]

DATA = noise(MIB + 1000)


@pytest.fixture(autouse=True)
def small_pieces(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sealed piece is a part less a block."""
    monkeypatch.setattr(parting, "PART_BYTES", 2 * MIB)


def set_back(upload: Upload, **seconds: int) -> None:
    """So long ago, as the database sees it."""
    Upload.objects.filter(pk=upload.pk).update(**{name: in_seconds(-ago) for name, ago in seconds.items()})


def left_on_a_full_disk(begin: Begin, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Upload:
    """All of it has come, and while it is to be sealed there is room for chunks only."""
    upload = begin(len(DATA), is_confidential=True)
    settings.DISK_RESERVE_BYTES = 0
    with monkeypatch.context() as patch:
        patch.setattr(LocalSide, "free_bytes", lambda self: MIB)
        with pytest.raises(Problem) as caught:
            take_chunk(upload_id=upload.pk, offset=0, body=Sent(DATA))
        assert caught.value.status == 507
        assert sweep()["later"] == 1
    return upload


def test_what_can_never_be_sealed_here_is_refused_before_its_first_byte(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.DISK_RESERVE_BYTES = 1000
    monkeypatch.setattr(LocalSide, "total_bytes", lambda self: sealed_size(MIB) + 1000)
    with pytest.raises(Problem) as caught:
        begin(MIB + 1, is_confidential=True)
    assert (caught.value.code, caught.value.status) == ("too_large_to_seal", 413)
    assert begin(MIB, is_confidential=True).state == UploadState.OPEN
    assert begin(MIB * 2).state == UploadState.OPEN


def test_an_upload_that_found_no_room_is_finished_when_there_is_some(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    upload = left_on_a_full_disk(begin, monkeypatch, settings)
    assert sweep()["finished"] == 1
    assert StoredFile.objects.get(uploads=upload).sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_complete_upload_outlives_its_time_until_there_is_room(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    upload = left_on_a_full_disk(begin, monkeypatch, settings)
    set_back(upload, expires_at=90_000, updated_at=sweeping.SELDOM_SECONDS + 1)
    with monkeypatch.context() as patch:
        patch.setattr(LocalSide, "free_bytes", lambda self: MIB)
        assert sweep()["later"] == 1
        assert sweep().total() == 0  # once an hour
    row = Upload.objects.get(pk=upload.pk)
    assert row.state == UploadState.FINISHING
    assert {found.key for found in space().page().found} >= {part["key"] for part in row.parts}
    set_back(upload, updated_at=sweeping.SELDOM_SECONDS + 1)
    assert sweep()["finished"] == 1
    assert StoredFile.objects.get(uploads=upload).sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_complete_upload_whose_bytes_are_lost_is_given_up_a_day_after_its_time(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    upload = left_on_a_full_disk(begin, monkeypatch, settings)
    space().delete(key=Upload.objects.get(pk=upload.pk).parts[1]["key"])
    assert sweep()["later"] == 1
    set_back(upload, expires_at=90_000, updated_at=sweeping.SELDOM_SECONDS + 1)
    assert sweep()["given_up"] == 1
    row = Upload.objects.get(pk=upload.pk)
    assert (row.state, row.problem["status"]) == (UploadState.FAILED, 410)
    assert space().page().found == []
