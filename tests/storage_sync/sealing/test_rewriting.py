"""Files that are sealed after the fact, and opened again: under readers, movers and killers."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.problems import TransientError
from storage_sync import fingerprints
from storage_sync.damage import quarantining
from storage_sync.giving import sharing
from storage_sync.models import BlockDigests, Copy, Node, Remnant, StoredFile
from storage_sync.retaining import archiving
from storage_sync.sealing import remnants, rewriting
from storage_sync.sealing.rewriting import rewrite
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.local import local
from tests.storage_sync.making import WORDS, on_disk, space, state_of_copies, store
from tests.storage_sync.sealing.test_sealed_files import LARGE, everything_that_lies_about, get, in_cloud

pytestmark = pytest.mark.django_db(transaction=True)


def again(file: StoredFile) -> StoredFile:
    return StoredFile.objects.get(pk=file.pk)


def has_no_plaintext(root: Path, words: bytes = WORDS) -> bool:
    return words[:40] not in everything_that_lies_about(root)


def lies_right(file: StoredFile) -> bool:
    """Whether both sides hold what the row says."""
    return (
        fingerprints.sha256_of_path(on_disk(file)) == file.held_sha256 and in_cloud(file) == on_disk(file).read_bytes()
    )


def test_a_file_is_sealed_and_opened_again(storeroom: Path) -> None:
    file = store()
    link = sharing.link(file, filename="a.flac")
    assert link.startswith("http")
    assert rewrite(file_id=file.pk, is_confidential=True)
    sealed = again(file)
    assert sealed.is_confidential
    assert sealed.key.rpartition("/")[0] == file.key.rpartition("/")[0] != sealed.key
    assert (sealed.size, sealed.sha256) == (file.size, file.sha256)
    assert lies_right(sealed)
    assert has_no_plaintext(storeroom)
    assert space().head(key=file.key) is None
    assert get(sealed) == (200, WORDS)
    assert state_of_copies(sealed) == {"local": "present", "cloud": "present"}
    assert rewrite(file_id=file.pk, is_confidential=True) is False
    assert rewrite(file_id=file.pk, is_confidential=False)
    open_again = again(file)
    assert (open_again.sealed_key, open_again.sealed_size, open_again.seal_key_id) == (None, None, "")
    assert on_disk(open_again).read_bytes() == WORDS
    assert lies_right(open_again)
    assert space().head(key=sealed.key) is None


def test_a_large_file_has_the_digests_of_its_new_blocks(storeroom: Path) -> None:
    file = store(LARGE)
    before = bytes(BlockDigests.objects.get(file=file).digests)
    rewrite(file_id=file.pk, is_confidential=True)
    after = bytes(BlockDigests.objects.get(file=file).digests)
    assert before != after == fingerprints.of_path(on_disk(again(file))).blocks
    assert get(again(file), Range="bytes=2000000-2000003") == (206, LARGE[2_000_000:2_000_004])


def test_an_archived_file_is_sealed_in_the_archive_and_both_its_old_places_emptied(storeroom: Path) -> None:
    file = store()
    archiving.archive(file)
    archiving.move_archived()
    moved = again(file)
    assert moved.other_key  # links to it may still be out
    rewrite(file_id=file.pk, is_confidential=True)
    sealed = again(file)
    assert sealed.key.startswith("archive/")
    assert sealed.other_key == ""
    assert has_no_plaintext(storeroom)
    archiving.restore(sealed)
    archiving.move_archived()
    assert get(again(file)) == (200, WORDS)


def test_one_archived_while_it_was_to_be_moved_is_sealed_at_home(storeroom: Path) -> None:
    file = store()
    archiving.archive(file)
    rewrite(file_id=file.pk, is_confidential=True)
    sealed = again(file)
    assert (sealed.key.startswith("archive/"), sealed.other_key) == (True, "")
    assert has_no_plaintext(storeroom)


def test_what_was_put_aside_of_it_goes_too(storeroom: Path) -> None:
    file = store()
    local().quarantine(key=file.key)
    assert quarantining.put_aside(side=space(), key=file.key)
    with space_again(file):
        rewrite(file_id=file.pk, is_confidential=True)
    assert has_no_plaintext(storeroom)


class space_again:  # noqa: N801  reads as a sentence
    """The file's bytes are back in the Space, as a repair would bring them."""

    def __init__(self, file: StoredFile) -> None:
        self.file = file

    def __enter__(self) -> None:
        client = space()
        client.client.put_object(Bucket=client.space.bucket, Key=self.file.key, Body=WORDS)

    def __exit__(self, *_: object) -> None:
        pass


def test_other_nodes_lose_their_copies_and_durable_ones_are_to_fetch_the_new(
    storeroom: Path, settings: Settings
) -> None:
    file = store()
    for name, is_durable in (("cache", False), ("volume", True)):
        Node.objects.create(name=name, disk_id=uuid.uuid4(), is_durable=is_durable, heartbeat_at=Now())
        Copy.objects.create(file=file, side="local", node=name, state="present", verified_at=Now())
    rewrite(file_id=file.pk, is_confidential=True)
    copies = {copy.node: copy for copy in Copy.objects.filter(file=file, side="local")}
    assert [copies[name].state for name in ("cache", "volume")] == ["missing", "missing"]
    assert [copies[name].next_attempt_at is None for name in ("cache", "volume")] == [True, False]
    # On the disk of the other node the plaintext lies still, until that node looks.
    elsewhere = storeroom.parent / "elsewhere"
    settings.STORAGE_PATH, settings.STORAGE_NODE = elsewhere, "cache"
    local().lay_out()
    local().path(file.key).parent.mkdir(parents=True)
    local().path(file.key).write_bytes(WORDS)
    assert remnants.remove_due() >= 1
    assert not local().path(file.key).exists()
    # What arrives late is found, too, and in the end nothing is left to remember.
    local().path(file.key).parent.mkdir(parents=True, exist_ok=True)
    local().path(file.key).write_bytes(WORDS)
    Remnant.objects.update(due_at=Now(), until=Now())
    remnants.remove_due()
    assert not local().path(file.key).exists()
    assert not Remnant.objects.filter(node="cache").exists()


def test_a_file_that_was_archived_in_between_is_left_as_it_is(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, real = store(), rewriting._put

    def archived_meanwhile(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]  # as they came
        archiving.archive(again(file))

    monkeypatch.setattr(rewriting, "_put", archived_meanwhile)
    with pytest.raises(TransientError, match="file_busy"):
        rewrite(file_id=file.pk, is_confidential=True)
    monkeypatch.undo()
    assert rewrite(file_id=file.pk, is_confidential=True)
    assert again(file).key.startswith("archive/")
    Remnant.objects.update(due_at=Now())
    remnants.remove_due()
    assert has_no_plaintext(storeroom)


def test_a_writer_taken_for_dead_cannot_switch_to_what_is_being_removed(storeroom: Path) -> None:
    writer = uuid.uuid4()
    remnants.intend(key="recordings/2026/11/a/b.flac", writer=writer)
    Remnant.objects.update(due_at=Now())
    remnants.remove_due()
    with pytest.raises(LeaseLostError):
        remnants.still_writing(key="recordings/2026/11/a/b.flac", writer=writer)
    with pytest.raises(LeaseLostError):
        remnants.keep(key="recordings/2026/11/a/b.flac", writer=writer)


def test_the_key_of_a_file_is_never_emptied(storeroom: Path) -> None:
    file = store()
    remnants.leave(keys=[file.key], nodes=["testserver"])
    Remnant.objects.update(due_at=Now())
    remnants.remove_due()
    assert get(again(file)) == (200, WORDS)


def test_the_quarantine_of_the_space_is_listed_once_for_all_that_is_to_go(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [f"recordings/2026/11/{uuid.uuid4()}/{name}.flac" for name in "abc"]
    for key in gone:
        client = space()
        aside = quarantining.quarantine_key(key, at_ns=time.time_ns())
        client.client.put_object(Bucket=client.space.bucket, Key=aside, Body=WORDS)
    remnants.leave(keys=gone, nodes=[])
    listed: list[object] = []
    real = CloudSide.page

    def counted(side: CloudSide, **asked: Any) -> Any:
        listed.append(asked)
        return real(side, **asked)

    monkeypatch.setattr(CloudSide, "page", counted)
    assert remnants.remove_due() == 3
    assert len(listed) == 1
    assert has_no_plaintext(storeroom)


def test_a_space_that_is_away_changes_nothing(storeroom: Path, settings: Settings) -> None:
    file, endpoint = store(), settings.SPACES_ENDPOINT
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    with pytest.raises(TransientError, match="cloud_unavailable"):
        rewrite(file_id=file.pk, is_confidential=True)
    settings.SPACES_ENDPOINT = endpoint
    assert again(file).key == file.key
    assert get(again(file)) == (200, WORDS)
    assert rewrite(file_id=file.pk, is_confidential=True)


def test_a_full_disk_changes_nothing(storeroom: Path, settings: Settings) -> None:
    file = store()
    settings.DISK_RESERVE_BYTES = 2**62
    with pytest.raises(TransientError, match="disk_full"):
        rewrite(file_id=file.pk, is_confidential=True)
    assert again(file).key == file.key


@pytest.mark.parametrize("sealing", [True, False])
def test_what_goes_to_the_space_in_parts_is_sealed_and_opened_too(storeroom: Path, sealing: bool) -> None:
    data = LARGE * 6
    file = again(store(data, is_confidential=not sealing))
    assert lies_right(file)
    rewrite(file_id=file.pk, is_confidential=sealing)
    now = again(file)
    found = space().head(key=now.key)
    assert found is not None
    assert (found.size, found.etag in now.etags) == (now.held_size, True)
    assert lies_right(now)
    assert get(now, Range="bytes=17000000-17000999") == (206, data[17_000_000:17_001_000])
