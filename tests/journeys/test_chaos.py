"""SIGKILL at random, of web processes and workers, and a disk that is deleted: what was acknowledged stays so.

CHAOS_KILLS and CHAOS_UPLOADS say how much of it; `make chaos` is 200 kills during 2,000 uploads.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import pytest

from tests.journeys.houses import Caller, House
from tests.journeys.instances import PARTS, Instance, require_agreement, require_settled
from tests.journeys.loads import Load

KILLS = int(os.environ.get("CHAOS_KILLS", "20"))
UPLOADS = int(os.environ.get("CHAOS_UPLOADS", "200"))
# Enough work left for every kill: uploads are given out as the kills go on, and no kill comes while none is sent.
AHEAD = 4
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 20 * KILLS + 2 * UPLOADS)]


class Chaos:
    """The one who kills: a random part of a random instance, at a random moment; it is started again at once."""

    def __init__(self, instances: list[Instance], chance: random.Random) -> None:
        self.killed: Counter[str] = Counter()
        self._instances, self._chance = instances, chance

    def strike(self) -> None:
        """Once."""
        time.sleep(self._chance.uniform(0.05, 2.5))
        instance = self._chance.choice(self._instances)
        # Twice as often the one that takes files in.
        kind = self._chance.choice(["web", *PARTS])
        instance.kill(kind)
        self.killed[f"{kind} of {instance.name}"] += 1
        instance.start(kind)


def test_what_was_acknowledged_outlives_kills_and_a_deleted_disk(house: House) -> None:
    seed = int(os.environ.get("CHAOS_SEED", random.randrange(10**6)))
    print(f"CHAOS_SEED={seed}: {KILLS} kills, {UPLOADS} uploads")
    chance = random.Random(seed)
    instances = [
        Instance(house, name="volume", storage=house.storage),
        Instance(house, name="container", storage=house.storage.parent / "other", CHATVISTA_DISK_DURABLE="false"),
    ]
    for instance in instances:
        instance.start()
    house.start("beat")
    try:
        load = unleash(house, instances, chance)
        require_truth(house, instances, load)
    finally:
        for instance in instances:
            instance.stop()
        house.stop("beat")


def unleash(house: House, instances: list[Instance], chance: random.Random) -> Load:
    """The uploads and the kills; halfway a disk goes. Returns when every upload has its answer."""
    caller = Caller(instances[0].port)
    caller.register()
    load = Load(caller, caller.meeting(), ports=[instance.port for instance in instances], large_every=50)
    chaos, given, began = Chaos(instances, chance), 0, time.monotonic()
    unlucky = chance.choice(instances)
    with load.running(senders=8, readers=2):
        for strike in range(KILLS):
            share = UPLOADS * (strike + 1) // KILLS
            load.give(share - given)
            given = share
            chaos.strike()
            if strike == KILLS // 2:
                unlucky.lose_disk()
            while load.untried > AHEAD and not load.wrong:
                time.sleep(0.1)
        left = given - len(load.acknowledged)
        # The leases of the dead run out within two minutes, and are swept once a minute.
        until = time.monotonic() + 400
        while load.unfinished and not load.wrong and time.monotonic() < until:
            time.sleep(0.2)
    print(
        f"{sum(chaos.killed.values())} kills {dict(chaos.killed)}, the disk of {unlucky.name} deleted, {given} uploads"
        f" in {time.monotonic() - began:.0f} s ({left} unanswered after the last kill): {dict(load.outcomes)}"
    )
    assert load.wrong == []
    assert load.unfinished == 0
    assert load.outcomes["upload unanswered"], "no upload was cut; the kills came too late"
    return load


def require_truth(house: House, instances: list[Instance], load: Load) -> None:
    """Every file from both, one recording for each upload, nothing half there, and no difference to be found."""
    assert len(load.acknowledged) == UPLOADS
    # Leases of the dead run out by themselves within two minutes.
    require_settled(house, within=300)
    for instance in instances:
        assert load.visible(instance.port) == load.acknowledged
        load.require_readable(instance.port)
    ownerless = "SELECT count(*) FROM storage_sync_storedfile f LEFT JOIN meetings_recording r ON r.file_id = f.id"
    assert house.sql(f"{ownerless} WHERE f.state = 'stored' AND r.id IS NULL") == [(0,)]
    hidden = "SELECT count(*) FROM meetings_recording r JOIN storage_sync_storedfile f ON f.id = r.file_id"
    assert house.sql(f"{hidden} WHERE f.state <> 'stored'") == [(0,)]
    assert load.wrong == []
    require_settled(house, within=60)
    require_agreement(instances)
