"""Nodes: who is alive, what dies with a machine, and what a disk that was replaced means."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as configured
from django.db import transaction
from django.db.models.functions import Now

from accounts.models import AuditEvent
from chatvista.foundation.leases import in_seconds
from storage_sync.inspecting import sweeping
from storage_sync.models import Copy, Node, StoredFile
from storage_sync.presence import disks, nodes
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState
from tests.meetings.racing import race
from tests.storage_sync.making import on_disk, store

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def durable(settings: Settings) -> None:
    settings.DISK_DURABLE = True


@pytest.fixture
def cache(settings: Settings) -> None:
    settings.DISK_DURABLE = False


@pytest.fixture(autouse=True)
def here(storeroom: Path, settings: Settings) -> None:
    settings.STORAGE_NODE = "here"


def silence(name: str = "here", seconds: float | None = None) -> None:
    Node.objects.filter(name=name).update(heartbeat_at=in_seconds(-(seconds or configured.NODE_DEAD_SECONDS + 1)))


def local_copy(file: StoredFile, node: str = "here") -> tuple[str, bool, str]:
    """State, whether it is due by now, and the error."""
    copy = Copy.objects.get(file=file, side="local", node=node)
    is_due = Copy.objects.filter(pk=copy.pk, next_attempt_at__lte=Now()).exists()
    return copy.state, is_due, copy.error


def as_another(settings: Any, name: str = "there") -> None:
    """From here on this process is another machine with another disk."""
    settings.STORAGE_NODE = name
    settings.STORAGE_PATH = settings.STORAGE_PATH.parent / name


def deeds() -> list[str]:
    return list(AuditEvent.objects.filter(action__startswith="node.").order_by("id").values_list("action", flat=True))


def test_a_beat_says_who_is_there_and_on_which_disk(storeroom: Path, cache: None) -> None:
    nodes.beat(nodes.Presence())
    node = Node.objects.get()
    assert (node.name, node.is_durable, node.died_at) == ("here", False, None)
    assert str(node.disk_id) == (storeroom / ".node").read_text().strip()
    assert 0 < node.free_bytes <= node.total_bytes
    silence(seconds=10)
    nodes.beat(nodes.Presence())
    assert Node.objects.filter(heartbeat_at__gt=in_seconds(-5)).count() == 1
    assert nodes.living() == {"here"}


def test_an_everyday_beat_is_one_statement(storeroom: Path, django_assert_num_queries: Any) -> None:
    presence = nodes.Presence()
    nodes.beat(presence)
    with django_assert_num_queries(1):
        nodes.beat(presence)


def test_the_name_of_a_disk_is_no_file_of_the_ledger(storeroom: Path) -> None:
    nodes.beat(nodes.Presence())
    assert disks.Tending(storeroom).hold()
    assert local().page().found == []


def test_two_processes_that_name_a_new_disk_agree(storeroom: Path) -> None:
    named = race([lambda: disks.disk_id(storeroom)] * 6)
    assert len(set(named)) == 1
    assert isinstance(named[0], uuid.UUID)
    assert list((storeroom / "temp").iterdir()) == []


def test_a_damaged_name_is_no_name(storeroom: Path) -> None:
    first = disks.disk_id(storeroom)
    (storeroom / ".node").write_text("x")
    assert disks.disk_id(storeroom) != first


def test_a_replaced_disk_has_nothing_of_what_the_old_one_had(storeroom: Path, durable: None) -> None:
    file, presence = store(), nodes.Presence()
    nodes.beat(presence)
    shutil.rmtree(storeroom)
    nodes.beat(presence)
    assert local_copy(file) == ("missing", True, "")
    assert Copy.objects.get(side="cloud").state == CopyState.PRESENT
    assert deeds() == ["node.disk_replaced"]
    nodes.beat(presence)
    nodes.beat(nodes.Presence())
    assert deeds() == ["node.disk_replaced"], "the other processes of the machine find the new name and agree"


def test_a_cache_whose_disk_was_replaced_asks_for_nothing(storeroom: Path, cache: None) -> None:
    file, presence = store(), nodes.Presence()
    nodes.beat(presence)
    shutil.rmtree(storeroom)
    nodes.beat(presence)
    assert local_copy(file) == ("missing", False, "")


def test_what_came_in_since_the_disk_was_replaced_is_looked_at(storeroom: Path, cache: None) -> None:
    old, presence = store(), nodes.Presence()
    nodes.beat(presence)
    shutil.rmtree(storeroom)
    new = store()
    nodes.beat(presence)
    assert local_copy(old) == ("missing", False, "")
    assert local_copy(new) == ("missing", True, "")
    assert nodes.living() == {"here"}


def test_a_machine_that_comes_back_with_another_disk_waits_until_the_old_name_is_silent(
    storeroom: Path, settings: Settings
) -> None:
    file = store()
    nodes.beat(nodes.Presence())
    settings.STORAGE_PATH = storeroom.parent / "other"
    with pytest.raises(nodes.NameTakenError, match="CHATVISTA_NODE"):
        nodes.beat(nodes.Presence())
    assert local_copy(file)[0] == "present", "whoever is refused changes nothing"
    silence(seconds=2 * nodes.interval() + 1)
    nodes.beat(nodes.Presence())
    assert local_copy(file)[0] == "missing"


def test_a_silent_node_dies_and_its_copies_no_longer_count(storeroom: Path, settings: Settings) -> None:
    file = store()
    nodes.beat(nodes.Presence())
    as_another(settings)
    nodes.beat(nodes.Presence())
    assert nodes.bury_dead() == []
    silence("here")
    assert nodes.bury_dead() == ["here"]
    assert local_copy(file) == ("missing", False, "node_dead")
    assert Node.objects.get(name="here").died_at is not None
    assert StoredFile.objects.get().durability == "cloud"
    assert nodes.living() == {"there"}
    assert nodes.bury_dead() == []
    assert deeds() == ["node.died"]


def test_what_is_to_be_emptied_on_a_dead_node_stays_to_be_emptied(storeroom: Path, settings: Settings) -> None:
    file = store()
    nodes.beat(nodes.Presence())
    StoredFile.objects.update(state="abandoned")
    silence()
    assert nodes.bury_dead() == ["here"]
    assert local_copy(file)[0] == "present"


def test_a_node_that_beats_while_it_is_buried_wins(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [store() for _ in range(3)]
    nodes.beat(nodes.Presence())
    silence()
    monkeypatch.setattr(nodes, "AT_ONCE", 1)
    really, buried = nodes._take_out, []

    def once(*given: Any) -> None:
        buried.append(given)
        really(*given)
        # The beat commits after this batch and before the next.
        transaction.on_commit(lambda: nodes.beat(nodes.Presence()))

    monkeypatch.setattr(nodes, "_take_out", once)
    assert nodes.bury_dead() == []
    assert len(buried) == 1
    assert Node.objects.get().died_at is None
    states = sorted(local_copy(file)[:2] for file in files)
    assert states == [("missing", True), ("present", False), ("present", False)]


def test_a_node_that_comes_back_has_its_copies_looked_at(storeroom: Path, durable: None) -> None:
    file = store()
    nodes.beat(nodes.Presence())
    silence()
    nodes.bury_dead()
    nodes.beat(nodes.Presence())
    assert local_copy(file) == ("missing", True, "")
    assert Node.objects.get().died_at is None


def test_a_cache_that_comes_back_looks_only_at_what_it_still_has(storeroom: Path, cache: None) -> None:
    kept, gone, evicted = store(), store(), store()
    nodes.beat(nodes.Presence())
    on_disk(gone).unlink()
    Copy.objects.filter(file=evicted, side="local").update(state="missing")
    silence()
    nodes.bury_dead()
    nodes.beat(nodes.Presence())
    assert local_copy(kept) == ("missing", True, "")
    assert local_copy(gone) == ("missing", False, "")
    assert local_copy(evicted) == ("missing", False, "")


def test_a_node_killed_while_it_looks_is_dead_until_it_has_looked(
    storeroom: Path, durable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = store()
    nodes.beat(nodes.Presence())
    silence()
    nodes.bury_dead()

    def die(name: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(nodes, "_look_again", die)
        with pytest.raises(KeyboardInterrupt):
            nodes.beat(nodes.Presence())
    assert nodes.living() == set()
    nodes.beat(nodes.Presence())
    assert nodes.living() == {"here"}
    assert local_copy(file) == ("missing", True, "")


def test_a_disk_under_a_new_name_takes_its_copies_along(storeroom: Path, settings: Settings, durable: None) -> None:
    first, both = store(), store()
    nodes.beat(nodes.Presence())
    settings.STORAGE_NODE = "new-name"
    nodes.beat(nodes.Presence())
    Copy.objects.create(file=both, side="local", node="new-name", state="present", verified_at=Now())
    silence("here")
    assert nodes.bury_dead() == ["here"]
    assert local_copy(first, "new-name") == ("missing", True, "")
    assert not Copy.objects.filter(file=first, node="here").exists()
    assert local_copy(both, "new-name")[0] == "present"
    assert local_copy(both)[0] == "missing"


def test_nodes_that_never_beat_are_given_time_and_then_die(storeroom: Path, settings: Settings) -> None:
    files = [store()]
    as_another(settings, "older")
    files.append(store())
    assert nodes.bury_dead() == []
    assert set(Node.objects.values_list("name", flat=True)) == {"here", "older"}
    silence("older")
    assert nodes.bury_dead() == ["older"]
    settings.STORAGE_NODE, settings.STORAGE_PATH = "here", storeroom
    nodes.beat(nodes.Presence())
    assert local_copy(files[0])[0] == "present", "its first beat names the disk; nothing was replaced"


def test_containers_that_are_gone_for_good_leave_no_rows(storeroom: Path, settings: Settings, cache: None) -> None:
    file = store()
    nodes.beat(nodes.Presence())
    silence()
    nodes.bury_dead()
    Node.objects.update(died_at=in_seconds(-nodes.FORGOTTEN_AFTER.total_seconds() + 60))
    nodes.bury_dead()
    assert Node.objects.exists()
    Node.objects.update(died_at=in_seconds(-nodes.FORGOTTEN_AFTER.total_seconds() - 60))
    nodes.bury_dead()
    assert not Node.objects.exists()
    assert [copy.side for copy in file.copies.all()] == ["cloud"]


def test_nobody_waits_for_a_dead_node_to_settle_a_reservation(storeroom: Path, settings: Settings) -> None:
    file = store()
    nodes.beat(nodes.Presence())
    StoredFile.objects.update(state="reserved", lease_token=uuid.uuid4(), lease_until=in_seconds(-1), stored_at=None)
    as_another(settings)
    assert sweeping.sweep_reservations()["finished"] == 0, "it may come back, and only it has the bytes"
    silence("here")
    assert sweeping.sweep_reservations()["finished"] == 1, "the cloud has them, too"
    assert StoredFile.objects.get(pk=file.pk).state == "stored"


def test_one_of_two_that_bury_at_once_does_it(storeroom: Path) -> None:
    store()
    nodes.beat(nodes.Presence())
    silence()
    buried = race([nodes.bury_dead] * 3)
    assert sorted(len(names) for names in buried) == [0, 0, 1]
    assert deeds() == ["node.died"]
