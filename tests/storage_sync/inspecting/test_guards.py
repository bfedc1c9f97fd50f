"""No mass deletion by mistake (guarantee G10): a list that cannot be believed changes nothing, and says why."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from storage_sync.inspecting import canary, guards, reconciling
from storage_sync.inspecting.places import reachable
from storage_sync.inspecting.reconciling import Order, reconcile
from storage_sync.models import Canary, Copy, Inspection, Node, StoredFile, UnknownObject
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.connecting import client_of, configured_space
from storage_sync.sides.local import LocalSide
from storage_sync.vocabulary import SideName
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.storage_sync.inspecting.running import counts, run, some
from tests.storage_sync.making import on_disk, put_in_cloud, space

pytestmark = pytest.mark.django_db
CLOUD, LOCAL = Order(sides=[SideName.CLOUD]), Order(sides=[SideName.LOCAL])


@pytest.fixture
def faulty(storeroom: Path, settings: Settings) -> Iterator[FaultySpace]:
    upstream = settings.SPACES_ENDPOINT
    with FaultySpace(upstream=upstream) as space:
        settings.SPACES_ENDPOINT = space.url
        yield space
        settings.SPACES_ENDPOINT = upstream


def ledger() -> list[Any]:
    return [
        list(StoredFile.objects.order_by("pk").values()),
        list(Copy.objects.order_by("pk").values()),
        UnknownObject.objects.count(),
    ]


def aborted(order: Order, *, by: str) -> str:
    """Run into a guard: nothing may change."""
    before = ledger()
    outcome = reconcile(order)
    assert outcome.inspection.aborted.startswith(f"{by}: "), outcome.inspection.aborted
    assert outcome.inspection.verdicts == {}
    assert ledger() == before
    assert Inspection.objects.latest("id").finished_at is not None
    return outcome.inspection.aborted


def test_a_listing_that_is_empty(faulty: FaultySpace) -> None:
    some()
    run()
    faulty.inject(Fault("empty_listing", key="", query={"prefix": "recordings/"}, times=0))
    assert "lists nothing" in aborted(CLOUD, by="empty")


def test_a_bucket_whose_every_listing_is_empty(faulty: FaultySpace) -> None:
    some()
    run()
    faulty.inject(Fault("empty_listing", times=0))
    assert "does not list it" in aborted(CLOUD, by="canary")


def test_one_category_that_lists_nothing(faulty: FaultySpace) -> None:
    files = some(12)
    StoredFile.objects.filter(pk=files[0].pk).update(key=files[0].key.replace("recordings/", "minutes/"))
    put_in_cloud(files[0].key.replace("recordings/", "minutes/"), b"x")
    run(forced=["share"])
    faulty.inject(Fault("empty_listing", query={"prefix": "recordings/"}, times=0))
    assert "recordings/" in aborted(CLOUD, by="empty")


def test_a_listing_that_is_forbidden(faulty: FaultySpace) -> None:
    some()
    run()
    faulty.inject(Fault("refuse", listing=True, status=403, code="AccessDenied", times=0))
    assert "AccessDenied" in aborted(CLOUD, by="listing")


def test_a_listing_that_claims_to_be_complete_and_is_not(faulty: FaultySpace) -> None:
    some(14)
    run()
    faulty.inject(Fault("truncated_listing", query={"prefix": "recordings/"}, at=10, times=0))
    assert "10 of the 14" in aborted(CLOUD, by="short")


def test_a_listing_short_of_a_few_takes_nothing_away(faulty: FaultySpace) -> None:
    some(14)
    run()
    faulty.inject(Fault("truncated_listing", query={"prefix": "recordings/"}, at=12, times=0))
    before = ledger()
    outcome = run(sides=[SideName.CLOUD])
    assert counts(outcome, "cloud") == {"agree": 12, "changed_meanwhile": 2}, "each of them was asked for by itself"
    assert ledger() == before


def test_a_page_that_breaks_off(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some()
    run()
    client = space().client
    real = client.list_objects_v2

    def broken(**asked: Any) -> Any:
        return {"IsTruncated": True} if asked.get("Prefix") == "recordings/" else real(**asked)

    monkeypatch.setattr(client, "list_objects_v2", broken)
    assert "goes on" in aborted(CLOUD, by="listing")


def test_a_listing_that_goes_round_in_circles(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some()
    run()
    real = CloudSide.page

    def the_first_again(side: CloudSide, *, prefix: str = "", after: str | None = None, limit: int = 2) -> Any:
        return real(side, prefix=prefix, limit=2)

    monkeypatch.setattr(CloudSide, "page", the_first_again)
    assert "out of order" in aborted(CLOUD, by="listing")


def test_a_listing_that_hangs(faulty: FaultySpace, monkeypatch: pytest.MonkeyPatch) -> None:
    some()
    run()
    monkeypatch.setattr(
        reconciling,
        "reachable",
        lambda sides: [
            type(place)(place.name, place.node, CloudSide(configured_or_fail(), read_seconds=0.3, attempts=1))
            for place in reachable(sides)
        ],
    )
    faulty.inject(Fault("hang", listing=True, times=0, seconds=20))
    assert "cannot be reached" in aborted(CLOUD, by="listing")


def configured_or_fail() -> Any:
    found = configured_space()
    assert found is not None
    return found


def test_a_space_that_is_away(faulty: FaultySpace) -> None:
    some()
    run()
    with faulty.away():
        aborted(CLOUD, by="listing")


def test_a_canary_that_is_gone(storeroom: Path) -> None:
    some()
    run()
    space().delete(key=canary.KEY)
    assert "another Space?" in aborted(CLOUD, by="canary")
    assert run(sides=[SideName.CLOUD], forced=["canary"]).differences == 0
    assert run(sides=[SideName.CLOUD]).differences == 0, "a new one has been planted"


@pytest.mark.parametrize("text", [b"", b"x", b"\xff\xfe", b"e30.aaaa", b"x" * 10_000])
def test_a_canary_that_is_wrong(storeroom: Path, text: bytes) -> None:
    some()
    run()
    put_in_cloud(canary.KEY, text)
    aborted(CLOUD, by="canary")


def test_another_bucket(storeroom: Path, settings: Settings) -> None:
    some()
    run()
    there = settings.SPACES_BUCKET
    settings.SPACES_BUCKET = f"other-{uuid.uuid4().hex[:20]}"
    client = client_of(configured_or_fail())
    client.create_bucket(Bucket=settings.SPACES_BUCKET)
    aborted(CLOUD, by="canary")
    client.delete_bucket(Bucket=settings.SPACES_BUCKET)
    aborted(CLOUD, by="listing")
    settings.SPACES_BUCKET = there


def test_the_space_of_another_installation(storeroom: Path) -> None:
    some()
    run()
    Canary.objects.filter(side="cloud").delete()
    assert "another installation" in aborted(CLOUD, by="canary")


def test_a_first_run_against_an_empty_bucket_plants_nothing(storeroom: Path) -> None:
    for file in some():
        space().delete(key=file.key)
    aborted(CLOUD, by="empty")
    assert space().page().found == []
    assert not Canary.objects.filter(side="cloud").exists()


def test_a_volume_that_is_not_mounted(storeroom: Path) -> None:
    some()
    run()
    storeroom.rename(storeroom.with_name("unmounted"))
    storeroom.mkdir()
    assert "not mounted" in aborted(LOCAL, by="canary")
    shutil.rmtree(storeroom)
    assert "not mounted" in aborted(LOCAL, by="canary")
    storeroom.with_name("unmounted").rename(storeroom)
    assert run(sides=[SideName.LOCAL]).differences == 0


def test_a_disk_that_is_known_to_be_another_gets_a_canary_of_its_own(storeroom: Path, settings: Settings) -> None:
    some()
    node = Node.objects.create(name=settings.STORAGE_NODE, disk_id=uuid.uuid4(), heartbeat_at="2026-01-01T00:00Z")
    run()
    shutil.rmtree(storeroom)
    aborted(LOCAL, by="canary")
    Node.objects.filter(pk=node.pk).update(disk_id=uuid.uuid4())
    Copy.objects.filter(side="local").update(state="missing")
    assert run(sides=[SideName.LOCAL]).differences == 0
    assert run(sides=[SideName.LOCAL]).differences == 0


def test_a_disk_that_cannot_be_read(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some()
    run()
    monkeypatch.setattr(LocalSide, "head", lambda side, *, key: (_ for _ in ()).throw(OSError(5, "I/O error")))
    aborted(LOCAL, by="listing")


@pytest.mark.parametrize("number", [14, 60])
def test_a_plan_that_would_take_too_much_away(storeroom: Path, number: int) -> None:
    files = some(number)
    run()
    for file in files[: max(11, number // 4)]:
        put_in_cloud(file.key, b"")
    assert "more than a fifth" in aborted(CLOUD, by="share")
    assert counts(run(sides=[SideName.CLOUD], forced=["share"]), "cloud")["damaged"] == max(11, number // 4)


def test_one_side_that_is_not_believed_keeps_the_other_unchanged_too(storeroom: Path) -> None:
    file, *_ = some()
    run()
    on_disk(file).unlink()
    space().delete(key=canary.KEY)
    aborted(Order(), by="canary")
    assert counts(run(sides=[SideName.LOCAL]), "local")["missing"] == 1


def test_an_operator_may_overrule_an_empty_list(storeroom: Path) -> None:
    files = some()
    run()
    for file in files:
        on_disk(file).unlink()
    aborted(LOCAL, by="empty")
    assert counts(run(sides=[SideName.LOCAL], forced=["empty"]), "local") == {"missing": 3}


def test_a_list_that_failed_cannot_be_overruled(faulty: FaultySpace) -> None:
    some()
    run()
    faulty.inject(Fault("refuse", listing=True, status=403, code="AccessDenied", times=0))
    aborted(Order(sides=[SideName.CLOUD], forced=list(guards.FORCIBLE)), by="listing")


def test_a_run_that_is_interrupted_says_so(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(reconciling, "survey", interrupt)
    with pytest.raises(KeyboardInterrupt):
        reconcile()
    assert Inspection.objects.get().aborted == "interrupted: KeyboardInterrupt"
