"""What was read and was wrong is believed again, or moved away, only after another look at those very bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from storage_sync import syncing
from storage_sync.damage import losing, quarantining
from storage_sync.disk import evicting
from storage_sync.giving import reading
from storage_sync.inspecting import mending
from storage_sync.inspecting.places import reachable
from storage_sync.inspecting.scrubbing import Slice, scrub
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.cloud import CloudSide
from storage_sync.vocabulary import SideName
from tests.storage_sync.inspecting.running import run, some
from tests.storage_sync.making import WORDS, flip_a_bit, on_disk, put_in_cloud, space, state_of_copies, store

pytestmark = pytest.mark.django_db
CLOUD = [SideName.CLOUD]


def rot(file: StoredFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The object goes bad behind the ETag it came with."""
    really = CloudSide.read

    def read(side: CloudSide, *, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        for chunk in really(side, key=key, start=start, length=length):
            yield flip_a_bit(chunk) if key == file.key else chunk

    monkeypatch.setattr(CloudSide, "read", read)


def test_what_was_condemned_by_a_scrub_that_was_killed_is_not_adopted_by_its_etag(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = some()[0]
    rot(file, monkeypatch)

    def die(**given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(mending, "put_aside", die)
        with pytest.raises(KeyboardInterrupt):
            scrub(Slice(sides=CLOUD, rate=None))
    Copy.objects.filter(lease_until__isnull=False).update(lease_until=in_seconds(-1))
    run(sides=CLOUD)
    evicting.evict(list(evicting.files_here()))
    assert state_of_copies(file) == {"local": "present", "cloud": "corrupt"}
    assert reading.local_path(file).read_bytes() == WORDS + bytes([0])
    assert space().head(key=file.key) is None, "it was put aside"


def test_a_lost_file_is_not_found_again_by_the_etag_of_a_rotten_object(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = some()[0]
    rot(file, monkeypatch)
    on_disk(file).unlink()
    Copy.objects.filter(file=file, side="local").update(state="missing", updated_at=in_seconds(-9_999))
    Copy.objects.filter(file=file, side="cloud").update(state="corrupt")
    assert losing.mark_lost(file_id=file.pk)
    run(sides=CLOUD)
    assert StoredFile.objects.get(pk=file.pk).state == "lost"
    assert space().head(key=file.key) is not None, "it may be the best there is"


def test_one_bad_read_of_a_lost_file_does_not_keep_it_lost(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()
    on_disk(file).unlink()
    Copy.objects.filter(file=file).update(state="missing", updated_at=in_seconds(-9_999))
    assert losing.mark_lost(file_id=file.pk)
    really, reads = CloudSide.read, []

    def read(side: CloudSide, *, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        reads.append(key)
        for chunk in really(side, key=key, start=start, length=length):
            yield flip_a_bit(chunk) if len(reads) == 1 else chunk

    monkeypatch.setattr(CloudSide, "read", read)
    [place] = reachable(CLOUD)
    assert mending.settle(place=place, file_id=file.pk, is_dry_run=False) == "found_again"


def test_nobody_makes_a_copy_that_is_being_condemned(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()
    put_in_cloud(file.key, flip_a_bit(WORDS))
    really = quarantining.put_aside

    def slowly(**given: object) -> object:
        syncing.run()
        assert state_of_copies(file)["cloud"] == "corrupt"
        return really(**given)  # type: ignore[arg-type]  # the arguments of the call

    monkeypatch.setattr(mending, "put_aside", slowly)
    [place] = reachable(CLOUD)
    assert mending.settle(place=place, file_id=file.pk, is_dry_run=False) == "damaged"
    copy = Copy.objects.get(file=file, side="cloud")
    assert (copy.state, copy.lease_token, copy.lease_until) == ("corrupt", None, None)
    assert Copy.objects.filter(pk=copy.pk, next_attempt_at__lte=Now()).exists()
    syncing.run()
    assert state_of_copies(file)["cloud"] == "present"
    assert b"".join(space().read(key=file.key)) == WORDS


def test_an_object_that_was_put_anew_since_it_was_read_is_not_moved_away(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = store()
    put_in_cloud(file.key, flip_a_bit(WORDS))
    really = mending._is_elsewhere

    def meanwhile(*given: object, **more: object) -> object:
        put_in_cloud(file.key, WORDS)
        return really(*given, **more)  # type: ignore[arg-type]  # the arguments of the call

    monkeypatch.setattr(mending, "_is_elsewhere", meanwhile)
    [place] = reachable(CLOUD)
    assert mending.settle(place=place, file_id=file.pk, is_dry_run=False) == "changed_meanwhile"
    assert b"".join(space().read(key=file.key)) == WORDS
    syncing.run()
    assert state_of_copies(file)["cloud"] == "present"
