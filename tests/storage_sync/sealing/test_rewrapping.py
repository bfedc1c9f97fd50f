"""Rotating the master key: keys of files are wrapped again, the files stay as they lie."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from chatvista.foundation import master_keys
from storage_sync import checks
from storage_sync.models import StoredFile
from storage_sync.sealing import rewrapping
from storage_sync.sealing.rewrapping import keys_in_use, missing_keys, rewrap_all
from tests.storage_sync.making import WORDS, on_disk, store
from tests.storage_sync.sealing.test_sealed_files import get

pytestmark = pytest.mark.django_db(transaction=True)


def rotate(settings: Settings) -> bytes:
    """A new ENCRYPTION_KEY; the old one is still known."""
    old: bytes = settings.ENCRYPTION_KEY
    settings.ENCRYPTION_KEY, settings.ENCRYPTION_KEY_PREVIOUS = os.urandom(32), (old,)
    return old


def test_keys_are_wrapped_again_and_bytes_are_not_touched(
    storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [store(is_confidential=True) for _ in range(3)]
    plain = store()
    lay = {file.pk: on_disk(file).read_bytes() for file in files}
    rotate(settings)
    newest = store(is_confidential=True)
    monkeypatch.setattr(rewrapping, "BATCH", 2)
    heard: list[int] = []
    done = rewrap_all(tell=heard.append)
    assert (done.done, done.left, heard) == (3, 0, [2, 3])
    assert keys_in_use() == {master_keys.current_key_id(): 4}
    settings.ENCRYPTION_KEY_PREVIOUS = ()
    for file in (*files, newest, plain):
        assert get(StoredFile.objects.get(pk=file.pk)) == (200, WORDS)
    assert {file.pk: on_disk(file).read_bytes() for file in files} == lay
    assert rewrap_all().done == 0


def test_a_dry_run_counts_and_changes_nothing(storeroom: Path, settings: Settings) -> None:
    file = store(is_confidential=True)
    before = StoredFile.objects.get(pk=file.pk).seal_key_id
    rotate(settings)
    told = rewrap_all(is_dry_run=True)
    assert (told.done, told.left) == (1, 1)
    assert StoredFile.objects.get(pk=file.pk).seal_key_id == before


def test_what_hangs_on_a_key_that_nobody_has_is_named_and_the_rest_is_done(storeroom: Path, settings: Settings) -> None:
    lost = store(is_confidential=True)
    settings.ENCRYPTION_KEY = os.urandom(32)
    kept = store(is_confidential=True)
    rotate(settings)
    lost_id = StoredFile.objects.get(pk=lost.pk).seal_key_id
    done = rewrap_all()
    assert (done.done, done.left, done.unknown_keys) == (1, 1, {lost_id})
    assert dict(done.refused) == {"encryption_key_unknown": 1}
    assert get(StoredFile.objects.get(pk=kept.pk)) == (200, WORDS)
    assert missing_keys() == {lost_id: 1}
    [warning] = checks.check_sealed_files(None, databases=["default"])
    assert lost_id in str(warning.msg)
    assert checks.check_sealed_files(None, databases=None) == []


def test_a_file_sealed_anew_in_between_keeps_its_new_key(
    storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = store(is_confidential=True), store(is_confidential=True)
    rotate(settings)
    real = master_keys.wrap

    def sealed_meanwhile(**given: object) -> master_keys.WrappedKey:
        row = StoredFile.objects.get(pk=other.pk)
        StoredFile.objects.filter(pk=file.pk).update(sealed_key=row.sealed_key, seal_key_id="anew")
        return real(**given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(master_keys, "wrap", sealed_meanwhile)
    rewrap_all()
    assert StoredFile.objects.get(pk=file.pk).seal_key_id == "anew"


def test_the_command_says_by_its_exit_code_whether_old_keys_are_still_needed(
    storeroom: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    store(is_confidential=True)
    old = rotate(settings)
    call_command("storage", "rewrap", "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["rewrapped"], told["left"], len(told["keys_in_use"])) == (0, 1, 1)
    settings.ENCRYPTION_KEY_PREVIOUS = ()
    with pytest.raises(SystemExit, match="1"):
        call_command("storage", "rewrap")
    assert "ENCRYPTION_KEY_PREVIOUS" in capsys.readouterr().out
    settings.ENCRYPTION_KEY_PREVIOUS = (old,)
    call_command("storage", "rewrap")
    assert "1 keys wrapped again, 0 left" in capsys.readouterr().out
