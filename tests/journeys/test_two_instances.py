"""Two instances with separate disks, and a Space that goes away under load: no wrong answer, and nothing left to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.fakes.s3_faults import Fault, FaultySpace
from tests.journeys.houses import Caller, House, a_house
from tests.journeys.instances import Instance, require_agreement, require_settled
from tests.journeys.loads import Load

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
