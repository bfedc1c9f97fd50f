"""The last byte of an upload: whatever happens after it has come, a file is made of it."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem, TransientError
from storage_sync.models import StoredFile, Upload, UploadState
from storage_sync.uploading import appending, finishing, holding, parting
from storage_sync.uploading.parting import Parting
from storage_sync.uploading.sweeping import sweep
from storage_sync.uploading.taking import take_chunk
from tests.storage_sync.uploading.conftest import Begin
from tests.storage_sync.uploading.sources import MIB, PART, Chunked, Sent, noise

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes", "patient_leases")]


class KilledError(BaseException):
    """As if by SIGKILL."""


def die(*_: Any, **__: Any) -> None:
    raise KilledError


def lapse(upload: Upload) -> None:
    """Nobody has renewed the lease."""
    Upload.objects.filter(pk=upload.pk).update(lease_until=in_seconds(-1))


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def row_of(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


def is_stored(upload: Upload, data: bytes) -> bool:
    file = StoredFile.objects.get(uploads=upload)
    return (file.state, file.sha256) == ("stored", hashlib.sha256(data).hexdigest())


def left_open_by_an_earlier_version(begin: Begin, data: bytes, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """All bytes are there and nobody has said so."""
    upload = begin(len(data))
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "finish", die)
        with pytest.raises(KilledError):
            take_chunk(upload_id=upload.pk, offset=0, body=Sent(data))
    Upload.objects.filter(pk=upload.pk).update(state=UploadState.OPEN, lease_token=None, lease_until=None)
    return upload


@pytest.mark.parametrize("is_sealed", [False, True], ids=["plain", "sealed"])
def test_killed_while_the_tail_is_removed_the_upload_is_finished_by_the_sweeper(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, is_sealed: bool
) -> None:
    # A sealed piece is a part less a block.
    monkeypatch.setattr(parting, "PART_BYTES", 2 * MIB)
    data = noise(PART // 2)
    upload = begin(len(data), is_confidential=is_sealed)
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data[:-10]))
    with monkeypatch.context() as patch:
        patch.setattr(Parting, "_forget", die)
        patch.setattr(holding.Hold, "let_go", lambda self: None)
        with pytest.raises(KilledError):
            take_chunk(upload_id=upload.pk, offset=len(data) - 10, body=Sent(data[-10:]))
    row = row_of(upload)
    assert (row.offset, row.state) == (len(data), UploadState.FINISHING)
    lapse(upload)
    assert sweep()["finished"] == 1
    assert is_stored(upload, data)


def test_a_last_part_that_is_answered_after_the_deadline_completes_the_upload(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, real = noise(PART // 2), Parting._awaited
    upload = begin(len(data))
    late: list[Future[Any]] = []

    def awaited(self: Parting, answer: Future[Any]) -> Any:
        if self._sending and not late:
            late.append(answer)
            answer.result(timeout=60)
            raise TransientError("cloud_unavailable", "The Space does not answer.")
        return real(self, answer)

    monkeypatch.setattr(Parting, "_awaited", awaited)
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(data))
    assert caught.value.status == 503
    row = row_of(upload)
    assert (row.offset, row.state) == (len(data), UploadState.FINISHING)
    assert sweep()["finished"] == 1
    assert is_stored(upload, data)


def test_whoever_asks_for_a_complete_upload_that_was_left_open_finishes_it(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = noise(PART + 7)
    upload = left_open_by_an_earlier_version(begin, data, monkeypatch)
    assert finishing.resume(row_of(upload)).state == UploadState.FINISHED
    assert is_stored(upload, data)


def test_nobody_is_told_of_all_bytes_while_somebody_else_has_yet_to_say_so(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = noise(1000)
    upload = left_open_by_an_earlier_version(begin, data, monkeypatch)
    held = holding.hold(upload_id=upload.pk, state=UploadState.OPEN)
    with pytest.raises(Problem) as caught:
        finishing.resume(row_of(upload))
    assert (caught.value.code, caught.value.status) == ("upload_locked", 423)
    held.let_go()
    assert finishing.resume(row_of(upload)).state == UploadState.FINISHED


def test_a_complete_upload_that_was_left_open_is_finished_and_not_expired(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = noise(PART + 7)
    upload = left_open_by_an_earlier_version(begin, data, monkeypatch)
    Upload.objects.filter(pk=upload.pk).update(expires_at=in_seconds(-1))
    verdicts = sweep()
    assert (verdicts["finished"], verdicts["expired"]) == (1, 0)
    assert is_stored(upload, data)


def test_without_a_space_the_last_byte_and_the_word_of_it_are_one(
    begin: Begin, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SPACES_ENDPOINT = ""
    monkeypatch.setattr(appending, "GATHERED_BYTES", 1000)
    monkeypatch.setattr(appending, "SYNCED_EVERY", 1000)
    data, real = noise(500_000), holding.Hold.write
    seen: list[tuple[int, str]] = []

    def write(self: holding.Hold, **fields: Any) -> None:
        real(self, **fields)
        seen.append((self.upload.offset, str(self.upload.state)))

    monkeypatch.setattr(holding.Hold, "write", write)
    upload = begin(len(data))
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=0, body=Chunked(data + b"!"))
    assert (caught.value.code, row_of(upload).state) == ("chunk_too_long", UploadState.OPEN)
    at = row_of(upload).offset
    take_chunk(upload_id=upload.pk, offset=at, body=Sent(data[at:]))
    assert [state for offset, state in seen if offset == len(data)] == ["finishing"]
    assert is_stored(upload, data)


def test_a_disk_that_lost_bytes_says_that_the_upload_is_gone(begin: Begin, settings: Any, storeroom: Path) -> None:
    settings.SPACES_ENDPOINT = ""
    data = noise(3000)
    upload = begin(len(data))
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data[:2000]))
    path = appending.path_of(upload)
    assert path.is_relative_to(storeroom)
    os.truncate(path, 100)
    before = open_files()
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=2000, body=Sent(data[2000:]))
    assert (caught.value.code, caught.value.status) == ("upload_gone", 410)
    assert open_files() <= before
