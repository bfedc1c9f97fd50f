"""Rotating the master key while confidential uploads are under way."""

from __future__ import annotations

import hashlib
import os

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation import master_keys
from storage_sync import checks
from storage_sync.models import StoredFile, Upload
from storage_sync.sealing.rewrapping import keys_in_use, missing_keys, rewrap_all
from storage_sync.uploading import parting
from storage_sync.uploading.taking import take_chunk
from tests.storage_sync.sealing.test_rewrapping import rotate
from tests.storage_sync.uploading.conftest import Begin
from tests.storage_sync.uploading.sources import MIB, PART, Sent, noise

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes", "patient_leases")]


def begun(begin: Begin, monkeypatch: pytest.MonkeyPatch, data: bytes) -> Upload:
    """A confidential upload that has got its first chunk."""
    # A sealed piece is a part less a block.
    monkeypatch.setattr(parting, "PART_BYTES", 2 * MIB)
    upload = begin(len(data), is_confidential=True)
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data[:MIB]))
    return Upload.objects.get(pk=upload.pk)


def test_an_upload_that_is_under_way_is_finished_under_the_new_key_alone(
    begin: Begin, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = noise(MIB + PART)
    upload = begun(begin, monkeypatch, data)
    rotate(settings)
    assert rewrap_all(is_dry_run=True).left == 1
    done = rewrap_all()
    assert (done.done, done.left, keys_in_use()) == (1, 0, {master_keys.current_key_id(): 1})
    settings.ENCRYPTION_KEY_PREVIOUS = ()
    take_chunk(upload_id=upload.pk, offset=upload.offset, body=Sent(data[upload.offset :]))
    assert StoredFile.objects.get(uploads=upload).sha256 == hashlib.sha256(data).hexdigest()


def test_a_key_that_only_an_upload_hangs_on_is_missed_until_the_upload_has_ended(
    begin: Begin, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(begin, monkeypatch, noise(2 * MIB))
    settings.ENCRYPTION_KEY = os.urandom(32)
    assert missing_keys() == {upload.seal_key_id: 1}
    [warning] = checks.check_sealed_files(None, databases=["default"])
    assert upload.seal_key_id in str(warning.msg)
    done = rewrap_all()
    assert (done.done, done.left, done.unknown_keys) == (0, 1, {upload.seal_key_id})
    Upload.objects.filter(pk=upload.pk).update(state="terminated")
    assert missing_keys() == {}
    assert rewrap_all().left == 0


def test_an_upload_sealed_anew_in_between_is_left_alone(
    begin: Begin, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(begin, monkeypatch, noise(2 * MIB))
    rotate(settings)
    real = master_keys.wrap

    def rewrapped_meanwhile(**given: object) -> master_keys.WrappedKey:
        Upload.objects.filter(pk=upload.pk).update(sealed_key=b"another", seal_key_id="anew")
        return real(**given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(master_keys, "wrap", rewrapped_meanwhile)
    rewrap_all()
    assert Upload.objects.get(pk=upload.pk).seal_key_id == "anew"
