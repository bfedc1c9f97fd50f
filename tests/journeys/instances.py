"""Two instances of one house: web and worker each, with disks and names of their own, before one database and Space."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from chatvista.embedded.home import CHECKOUT
from chatvista.embedded.servers import free_port
from tests.journeys.houses import House, eventually

UNMADE = """
    SELECT count(*) FROM storage_sync_copy c JOIN storage_sync_storedfile f ON f.id = c.file_id
    WHERE f.state IN ('stored', 'archived') AND c.state <> 'present' AND c.next_attempt_at IS NOT NULL
"""
UNVERIFIED = """
    SELECT count(*) FROM storage_sync_storedfile f WHERE f.state = 'stored' AND NOT EXISTS (
        SELECT 1 FROM storage_sync_copy c WHERE c.file_id = f.id AND c.side = 'cloud' AND c.state = 'present')
"""
RESERVED = "SELECT count(*) FROM storage_sync_storedfile WHERE state = 'reserved'"
_RECONCILE = """
import json
from storage_sync.inspecting.reconciling import reconcile
outcome = reconcile()
done = outcome.inspection
print(json.dumps({"differences": outcome.differences, "aborted": done.aborted,
                  "verdicts": done.verdicts, "examples": outcome.examples}))
"""
PARTS = "web", "worker"


class Instance:
    """One of them. Its parts are killed and started again by kind."""

    def __init__(self, house: House, *, name: str, storage: Path, port: int = 0, **more: str) -> None:
        self.house, self.name = house, name
        self.port = port or free_port()
        self.storage = storage
        self._own = {
            "PORT": str(self.port),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "CHATVISTA_STORAGE_PATH": str(storage),
            "CHATVISTA_NODE": name,
            "ACCESS_TOKEN_SECONDS": "86400",
            **more,
        }

    def start(self, *kinds: str) -> None:
        """Start its web process and its worker, or those of them that are named."""
        for kind in kinds or PARTS:
            self.house.start(f"{kind}-{self.name}", kind=kind, **self._own)

    def stop(self) -> None:
        """End what runs of it politely."""
        for kind in PARTS:
            if f"{kind}-{self.name}" in self.house.running:
                self.house.stop(f"{kind}-{self.name}")

    def kill(self, kind: str) -> None:
        """SIGKILL one of its parts and all it has started."""
        self.house.kill(f"{kind}-{self.name}")

    def lose_disk(self) -> None:
        """Its folder goes, whoever is writing in it."""
        shutil.rmtree(self.storage, ignore_errors=True)

    def manage(self, *words: str, patience: float = 600) -> subprocess.CompletedProcess[str]:
        """A management command on this node, whatever its exit code."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            env=self.house.environ | self._own, cwd=CHECKOUT, capture_output=True, text=True, timeout=patience,
            check=False,
        )  # fmt: skip

    def reconcile(self) -> dict[str, Any]:
        """What a reconciliation of the Space and of this node's disk says; it must not be stopped by a guard."""
        done = self.manage("shell", "-v", "0", "-c", _RECONCILE)
        assert done.returncode == 0, done.stdout + done.stderr[-4000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert not found["aborted"], found
        return found


def require_settled(house: House, *, within: float) -> None:
    """Wait until nothing is left to do: no reservation, no copy to be made, every file verified in the Space."""

    def left() -> list[int]:
        return [house.sql(text)[0][0] for text in (RESERVED, UNMADE, UNVERIFIED)]

    def told() -> str:
        errors = house.sql(
            "SELECT side, node, state, left(error, 80), count(*), max(attempts) FROM storage_sync_copy"
            " WHERE state <> 'present' AND next_attempt_at IS NOT NULL GROUP BY 1, 2, 3, 4"
        )
        return f"reserved, unmade, unverified: {left()}; {errors}"

    eventually(lambda: not any(left()), within=within, every=1, or_else=told)


def require_agreement(instances: list[Instance]) -> None:
    """Each node reconciles, and once what that found is mended, ledger and sides agree everywhere."""
    for instance in instances:
        found = instance.reconcile()
        assert found["differences"] == 0, (instance.name, found)
