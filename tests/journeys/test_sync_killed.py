"""The engine as a real process that is killed again and again: every copy is made in the end, and made once."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from chatvista.embedded.home import CHECKOUT
from tests.journeys.houses import House, a_house, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LAY = """
import os
from tests.storage_sync.syncing.due import lay
for number in range(400):
    lay(os.urandom(20_000 if number % 100 else 40_000_000))
"""
LEFT = "SELECT count(*) FROM storage_sync_copy WHERE side = 'cloud' AND state <> 'present'"


def test_killed_engines_leave_nothing_wrong() -> None:
    dice = random.Random(5)
    with a_house() as house:
        house.manage("shell", "-v", "0", "-c", LAY)
        kills = 0
        while house.sql(LEFT)[0][0] and kills < 8:
            before = house.sql(LEFT)[0][0]
            child = subprocess.Popen([sys.executable, "manage.py", "sync", "run"], env=house.environ, cwd=CHECKOUT)
            until = time.monotonic() + 30
            while child.poll() is None and time.monotonic() < until and len(objects(house)) <= 400 - before:
                time.sleep(0.05)
            time.sleep(dice.uniform(0, 0.5))
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                kills += 1
            child.wait()
            house.sql("UPDATE storage_sync_copy SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL")
        assert kills
        house.sql("UPDATE storage_sync_copy SET next_attempt_at = now() WHERE next_attempt_at IS NOT NULL")
        house.manage("sync", "run")
        assert house.sql(LEFT)[0][0] == 0
        found = objects(house)
        rows = house.sql("SELECT key, sha256 FROM storage_sync_storedfile")
        assert set(found) == {key for key, _ in rows}
        for key, sha256 in rows:
            assert hashlib.sha256(found[key]).hexdigest() == sha256


def test_a_worker_of_the_node_is_woken_at_once() -> None:
    """Not by the scan: it listens on the queue of its node."""
    with a_house() as house:
        house.start("worker")
        house.manage("shell", "-v", "0", "-c", "from tests.storage_sync.syncing.due import lay; lay()")
        # The keeper's first look is over, or too far off to be taken for this.
        time.sleep(15)
        house.manage(
            "shell", "-v", "0", "-c",
            "from tests.storage_sync.syncing.due import lay; from storage_sync.syncing import wake; lay(); wake()",
        )  # fmt: skip
        eventually(lambda: house.sql(LEFT)[0][0] == 0, within=20, or_else=lambda: house.log("worker"))


def objects(house: House) -> dict[str, bytes]:
    """What lies in the bucket, which is a folder of real files."""
    bucket = house.storage.parent / "spaces" / house.environ["DO_SPACES_BUCKET"]
    return {
        path.relative_to(bucket).as_posix(): path.read_bytes()
        for folder, _, names in os.walk(bucket / "recordings")
        for path in [bucket / folder / name for name in names]
        # Parts of an upload that its engine did not live to complete: the sweep ends such uploads after a day.
        if path.is_file() and not name_is_of_parts(path.name)
    }


def name_is_of_parts(name: str) -> bool:
    """How the embedded S3 server keeps parts."""
    return name.startswith(".rclone_temp_multipart")
