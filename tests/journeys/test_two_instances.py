"""Two instances with separate disks, and a Space that goes away under load: no wrong answer, and nothing left to do."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.fakes.s3_faults import Fault, FaultySpace
from tests.journeys.houses import Caller, House, a_house, eventually
from tests.journeys.instances import PARTS, Instance, require_agreement, require_settled
from tests.journeys.loads import Load

_BURY = "from storage_sync.presence import nodes; nodes.bury_dead()"
OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "20"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(420 + 3 * int(OUTAGE_SECONDS))]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with a_house() as house:
        yield house


@pytest.fixture
def space(house: House) -> Iterator[FaultySpace]:
    """Before the Space of everything that starts from here on."""
    real = house.environ["DO_SPACES_ENDPOINT"]
    with FaultySpace(real) as space:
        house.environ["DO_SPACES_ENDPOINT"] = space.url
        yield space
        house.environ["DO_SPACES_ENDPOINT"] = real


@pytest.fixture
def instances(house: House, space: FaultySpace) -> Iterator[list[Instance]]:
    """One on a machine with a volume that acknowledges what its disk has; one in a container that must not."""
    made = [
        Instance(house, name="volume", storage=house.storage, STORAGE_ACK="local"),
        Instance(house, name="container", storage=house.storage.parent / "other", CHATVISTA_DISK_DURABLE="false"),
    ]
    for instance in made:
        instance.start()
    house.start("beat")
    yield made
    for instance in made:
        instance.stop()
    house.stop("beat")


def test_while_the_space_is_away_no_answer_is_wrong_and_afterwards_nothing_is_left_to_do(
    house: House, space: FaultySpace, instances: list[Instance]
) -> None:
    caller = Caller(instances[0].port)
    caller.register()
    load = Load(caller, caller.meeting(), ports=[instance.port for instance in instances])

    def work(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if load.unfinished < 6:
                load.give(2)
            time.sleep(0.2)

    with load.running(senders=4, readers=3):
        work(6)
        before = len(load.acknowledged)
        assert before, (load.outcomes, load.wrong)
        space.inject(Fault("slow_down", times=0))
        work(OUTAGE_SECONDS / 4)
        space.mend()
        with space.away():
            work(OUTAGE_SECONDS * 3 / 4)
        during = dict(load.outcomes)
        work(6)
        # A Space that answered nobody is asked again within seconds, and whoever was refused comes again.
        until = time.monotonic() + 120
        while load.unfinished and time.monotonic() < until:
            time.sleep(0.2)
        assert load.unfinished == 0
    print(f"{len(load.acknowledged)} acknowledged; during the outage {during}; in all {dict(load.outcomes)}")
    assert load.wrong == []
    assert during.get("upload 202"), "nothing was taken on the word of the disk alone"
    assert during.get("upload 503"), "nothing was refused"
    require_settled(house, within=150)
    for instance in instances:
        load.require_readable(instance.port)
    assert load.wrong == []
    require_settled(house, within=60)
    require_agreement(instances)


def nodes(house: House) -> dict[str, bool]:
    """Whether each node is dead."""
    return dict(house.sql("SELECT name, died_at IS NOT NULL FROM storage_sync_node"))


def copies_on(house: House, node: str) -> Counter[str]:
    rows = house.sql("SELECT state, count(*) FROM storage_sync_copy WHERE node = %s GROUP BY 1", node)
    return Counter(dict(rows))


def test_nothing_waits_for_a_dead_node_and_it_comes_back_with_what_its_disk_holds(
    house: House, space: FaultySpace, instances: list[Instance]
) -> None:
    volume, container = instances
    eventually(lambda: nodes(house) == {"volume": False, "container": False}, within=30)
    caller = Caller(container.port)
    caller.register()
    meeting = caller.meeting()
    load = Load(caller, meeting, ports=[container.port])
    load.give(6)
    with load.running(senders=3, readers=0):
        eventually(lambda: not load.unfinished, within=60, or_else=lambda: str(load.outcomes))
    assert load.wrong == []
    before = copies_on(house, "container")["present"]
    assert before >= 6
    for kind in PARTS:
        container.kill(kind)
    # Instead of two minutes of silence: nobody of that node is left to beat.
    silence = "UPDATE storage_sync_node SET heartbeat_at = now() - interval '1 hour' WHERE name = 'container'"
    house.sql(silence)
    assert volume.manage("shell", "-v", "0", "-c", _BURY).returncode == 0
    assert nodes(house) == {"volume": False, "container": True}
    assert copies_on(house, "container")["present"] == 0
    load.require_readable(volume.port)

    space.forget()
    container.start()
    eventually(lambda: nodes(house) == {"volume": False, "container": False}, within=30)
    eventually(lambda: copies_on(house, "container")["present"] == before, within=90)
    fetched = [one for one in space.requests("GET", "^recordings/") if one.got]
    assert fetched == [], "what the disk still held was not fetched again"
    load.require_readable(container.port)
    require_settled(house, within=60)
    require_agreement(instances)
