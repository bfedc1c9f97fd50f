"""An upload whose time passes while somebody works on it is ended when nobody does any more."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from chatvista.foundation.leases import in_seconds
from storage_sync.models import StoredFile, Upload
from storage_sync.uploading import ending, finishing, taking
from storage_sync.uploading.sweeping import sweep
from storage_sync.uploading.taking import take_chunk
from tests.storage_sync.uploading.conftest import Begin
from tests.storage_sync.uploading.sources import Sent, noise

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes", "patient_leases")]


def let_expire(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(expires_at=in_seconds(-1))


def state_of(upload: Upload) -> str:
    return Upload.objects.get(pk=upload.pk).state


def test_a_chunk_that_comes_between_the_look_and_the_end_is_taken(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = noise(1000)
    upload = begin(len(data))
    really, took = ending.expire, []
    pour = taking._pour

    def after_the_sweeper_looked(found: Upload, **given: Any) -> bool:
        # Somebody took it before its time had passed, and is in the middle of the body.
        Upload.objects.filter(pk=found.pk).update(expires_at=in_seconds(60))

        def then_expire(*args: Any, **more: Any) -> None:
            let_expire(upload)
            really(found, **given)
            took.append(state_of(upload))
            pour(*args, **more)

        monkeypatch.setattr(taking, "_pour", then_expire)
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(data))
        return False

    monkeypatch.setattr(ending, "expire", after_the_sweeper_looked)
    let_expire(upload)
    sweep()
    assert took == ["open"]
    assert state_of(upload) == "finished"
    assert StoredFile.objects.get(uploads=upload).sha256 == hashlib.sha256(data).hexdigest()


def test_one_that_is_being_finished_is_not_ended(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    data = noise(1000)
    upload = begin(len(data))
    really, seen = finishing._finish, []

    def while_it_is_swept(*args: Any, **given: Any) -> None:
        let_expire(upload)
        sweep()
        seen.append(state_of(upload))
        really(*args, **given)

    monkeypatch.setattr(finishing, "_finish", while_it_is_swept)
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data))
    assert (seen, state_of(upload)) == (["finishing"], "finished")


def test_one_that_nobody_works_on_is_ended(begin: Begin) -> None:
    upload = begin(1000)
    let_expire(upload)
    assert sweep()["expired"] == 1
    assert state_of(upload) == "terminated"


def test_one_all_of_whose_bytes_came_meanwhile_is_left_to_be_finished(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the sweeper's look and the end its last byte came, and whoever took it was killed."""
    upload = begin(1000)
    really = ending.expire

    def late(found: Upload, **given: Any) -> bool:
        with monkeypatch.context() as patch:
            patch.setattr(finishing, "finish", killed)
            Upload.objects.filter(pk=found.pk).update(expires_at=in_seconds(60))
            with pytest.raises(KeyboardInterrupt):
                take_chunk(upload_id=found.pk, offset=0, body=Sent(noise(1000)))
        Upload.objects.filter(pk=found.pk).update(lease_until=in_seconds(-1), expires_at=in_seconds(-1))
        return really(found, **given)

    monkeypatch.setattr(ending, "expire", late)
    let_expire(upload)
    sweep()
    assert state_of(upload) == "finishing"
    sweep()
    assert state_of(upload) == "finished"


def killed(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt
