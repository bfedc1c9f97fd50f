"""What the engine does where nothing goes wrong: whatever is due gets made, once, and nothing else is touched."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from storage_sync.arriving import settling
from storage_sync.fingerprints import PART_BYTES
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import archiving
from storage_sync.syncing import backlog, run, want_here
from storage_sync.syncing.backlog import at_hand
from storage_sync.vocabulary import CopyState, SideName
from tests.storage_sync.making import WORDS, on_disk, put_in_cloud, space, store
from tests.storage_sync.syncing.due import cloud_copy, forget_here, lay, local_copy, object_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_due_copy_in_the_cloud_is_made_and_verified(storeroom: Path) -> None:
    file = lay()
    done = run()
    copy = cloud_copy(file)
    assert (done.made, done.failed, done.moved_bytes) == (1, 0, len(WORDS))
    assert (copy.state, copy.attempts, copy.error, copy.lease_token) == (CopyState.PRESENT, 0, "", None)
    assert copy.verified_at is not None
    assert copy.next_attempt_at is None
    assert object_of(file) == WORDS


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 7])
def test_files_of_any_size_arrive(storeroom: Path, size: int) -> None:
    data = os.urandom(size)
    file = lay(data)
    assert run().made == 1
    assert object_of(file) == data


def test_what_was_uploaded_in_parts_of_another_size_gets_another_etag(storeroom: Path) -> None:
    data = os.urandom(PART_BYTES + 10)
    theirs = f"{'0' * 32}-4"
    file = lay(data, md5="", composite_md5=theirs)
    assert run().made == 1
    assert object_of(file) == data
    file.refresh_from_db()
    assert theirs not in file.etags
    lying = space().head(key=file.key)
    assert lying is not None
    assert str(lying.etag) in file.etags


def test_the_media_type_comes_along(storeroom: Path) -> None:
    file = lay()
    run()
    side = space()
    answer = side.client.head_object(Bucket=side.space.bucket, Key=file.key)
    assert answer["ContentType"] == "audio/flac"


def test_many_are_made_with_few_questions(storeroom: Path) -> None:
    files = [lay(os.urandom(100)) for _ in range(70)]
    assert run().made == 70
    assert not Copy.objects.exclude(state=CopyState.PRESENT).exists()
    assert all(object_of(file) for file in files[::10])


def test_what_lies_at_the_key_already_and_is_right_is_taken(storeroom: Path) -> None:
    one, *many = [lay(os.urandom(90)) for _ in range(41)]
    for file in [one, *many]:
        put_in_cloud(file.key, on_disk(file).read_bytes())
    done = run()
    assert (done.found, done.made, done.moved_bytes) == (41, 0, 0)


def test_what_lies_at_the_key_and_is_wrong_is_put_aside_first(storeroom: Path) -> None:
    file = lay()
    put_in_cloud(file.key, b"something else")
    assert run().made == 1
    assert object_of(file) == WORDS
    aside = [found for found in space().page(prefix="quarantine/").found if found.key.endswith(file.key)]
    assert [found.size for found in aside] == [len(b"something else")]


def test_what_a_reader_has_condemned_is_not_believed_by_its_etag(storeroom: Path) -> None:
    """A store that answers with the right ETag and wrong bytes: only reading them tells."""
    file = lay()
    put_in_cloud(file.key, WORDS[:-1] + b"?")
    found = space().head(key=file.key)
    assert found is not None
    StoredFile.objects.filter(pk=file.pk).update(md5=found.etag)
    Copy.objects.filter(pk=cloud_copy(file).pk).update(state=CopyState.CORRUPT)
    run()
    assert cloud_copy(file).state != CopyState.PRESENT


def test_nothing_is_done_before_its_time(storeroom: Path) -> None:
    later, never = lay(), lay()
    Copy.objects.filter(file=later, side=SideName.CLOUD).update(next_attempt_at=timezone.now() + timedelta(minutes=1))
    Copy.objects.filter(file=never, side=SideName.CLOUD).update(next_attempt_at=None)
    assert run().made == 0
    assert {cloud_copy(later).state, cloud_copy(never).state} == {CopyState.PENDING}


def test_only_the_categories_asked_for(storeroom: Path) -> None:
    wanted, other = lay(category="minutes"), lay(category="exports")
    assert run(categories=["minutes"]).made == 1
    assert (cloud_copy(wanted).state, cloud_copy(other).state) == (CopyState.PRESENT, CopyState.PENDING)


def test_bytes_on_another_node_are_left_to_it(storeroom: Path) -> None:
    file = lay(node="elsewhere")
    done = run()
    assert (done.made, done.failed) == (0, 0)
    assert (cloud_copy(file).attempts, cloud_copy(file).error) == (0, "")


def test_bytes_that_no_node_is_known_to_have_are_an_error_that_stays_pending(storeroom: Path) -> None:
    file = lay(node="elsewhere")
    Copy.objects.filter(file=file, side=SideName.LOCAL).update(state=CopyState.MISSING)
    assert run().errors == {"no_source": 1}
    copy = cloud_copy(file)
    assert (copy.state, copy.attempts, copy.lease_token) == (CopyState.PENDING, 1, None)
    assert copy.error.startswith("no_source")
    assert copy.next_attempt_at is not None
    assert copy.next_attempt_at > timezone.now() + timedelta(seconds=20)


def test_bytes_that_nobody_knew_of_are_found_on_this_disk(storeroom: Path) -> None:
    file = lay()
    Copy.objects.filter(file=file, side=SideName.LOCAL).delete()
    assert run().made == 1
    assert object_of(file) == WORDS


def test_a_file_received_before_is_put_from_its_disk(storeroom: Path) -> None:
    file = store()
    space().delete(key=file.key)
    settling.note_copy(file=file, side=SideName.CLOUD, state=CopyState.MISSING)
    Copy.objects.filter(file=file, side=SideName.CLOUD).update(next_attempt_at=timezone.now())
    assert run().made == 1
    assert object_of(file) == WORDS


def test_an_archived_file_is_made_at_its_key_in_the_archive(storeroom: Path) -> None:
    file = lay()
    archiving.archive(file)
    archiving.move_archived()
    Copy.objects.filter(file=file, side=SideName.CLOUD).update(next_attempt_at=timezone.now())
    file.refresh_from_db()
    assert file.key.startswith("archive/")
    run()
    assert cloud_copy(file).state == CopyState.PRESENT
    assert object_of(file) == WORDS


@pytest.mark.parametrize("size", [0, 2050, PART_BYTES + 1])
def test_a_due_copy_on_this_disk_is_fetched(storeroom: Path, size: int) -> None:
    data = os.urandom(size)
    file = store(data) if size else lay(data)
    run()
    forget_here(file)
    done = run()
    assert (done.made, done.moved_bytes) == (1, size)
    assert on_disk(file).read_bytes() == data
    assert local_copy(file).state == CopyState.PRESENT


def test_bytes_that_lie_on_this_disk_already_are_not_fetched(storeroom: Path) -> None:
    file = store()
    Copy.objects.filter(file=file, side=SideName.LOCAL).update(state=CopyState.MISSING, next_attempt_at=timezone.now())
    space().delete(key=file.key)
    assert run().found == 1
    assert local_copy(file).state == CopyState.PRESENT


def test_bytes_that_turn_up_on_a_disk_are_a_source_at_once(storeroom: Path) -> None:
    """A node comes back: its disk is looked at, and what waited for its bytes goes up without waiting longer."""
    file = lay()
    Copy.objects.filter(file=file, side=SideName.LOCAL).update(state=CopyState.MISSING, next_attempt_at=timezone.now())
    Copy.objects.filter(file=file, side=SideName.CLOUD).update(
        error="no_source: none", next_attempt_at=timezone.now() + timedelta(minutes=5)
    )
    run()
    assert {copy.state for copy in file.copies.all()} == {CopyState.PRESENT}


def test_everything_can_be_wanted_on_this_disk(storeroom: Path, settings: Settings) -> None:
    files = [store(os.urandom(50)) for _ in range(5)]
    other = store(category="exports")
    archived = store(b"archived")
    archiving.archive(archived)
    archiving.move_archived()
    settings.STORAGE_PATH = storeroom.parent / "another"
    settings.STORAGE_NODE = "newcomer"
    assert want_here(categories=["recordings"]) == 6
    assert run().made == 6
    archived.refresh_from_db()
    assert all(on_disk(file).is_file() for file in [*files, archived])
    assert not on_disk(other).exists()
    assert want_here(categories=["recordings"]) == 0


def test_without_a_cloud_nothing_goes_wrong(storeroom: Path, settings: Settings) -> None:
    file = lay()
    settings.SPACES_ENDPOINT = ""
    assert run().errors == {}
    forget_here(file)
    assert run().errors == {"no_source": 1}


def test_the_backlog_says_what_is_to_be_made_and_why_it_is_not(storeroom: Path) -> None:
    lay(b"12345")
    lay(b"123", node="elsewhere")
    lost = lay(b"1", category="minutes", node="elsewhere")
    Copy.objects.filter(file=lost, side=SideName.LOCAL).delete()
    everywhere, here = backlog(), at_hand()
    assert [(pile.category, pile.copies, pile.due, pile.held_bytes) for pile in everywhere.piles] == [
        ("minutes", 1, 1, 1),
        ("recordings", 2, 2, 8),
    ]
    assert here.copies == 2
    run()
    assert [(pile.category, pile.copies, pile.due) for pile in backlog().piles] == [
        ("minutes", 1, 0),
        ("recordings", 1, 1),
    ]
    assert [error.partition(":")[0] for error, _ in backlog().errors] == ["no_source"]


def test_a_right_object_with_an_etag_that_we_do_not_know_is_read_and_taken(storeroom: Path) -> None:
    """Its bucket was copied, in parts of another size."""
    file = lay()
    put_in_cloud(file.key, WORDS)
    StoredFile.objects.filter(pk=file.pk).update(md5="", composite_md5=f"{'0' * 32}-2")
    on_disk(file).unlink()
    Copy.objects.filter(file=file, side=SideName.LOCAL).update(state=CopyState.MISSING)
    done = run()
    assert (done.found, done.made) == (1, 0)
    assert object_of(file) == WORDS
    assert cloud_copy(file).state == CopyState.PRESENT
    assert not space().page(prefix="quarantine/").found
