"""Which processes a home has started, so that the next start can end what a crash left behind."""

from __future__ import annotations

import signal

from chatvista.embedded.home import Home
from chatvista.embedded.processes import Child, born_at, end_orphan

_FILE = "processes.json"


class Ledger:
    """The list of this home's running children; only the holder of the owner's lock may use it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._children: dict[str, dict[str, str | int]] = {}

    def end_orphans(self) -> list[str]:
        """End every recorded process that is still the same process; return their names."""
        ended = []
        for pid, entry in self._home.read(_FILE).items():
            if born_at(int(pid)) == entry["born"]:
                end_orphan(int(pid), polite=signal.Signals(entry["signal"]))
                ended.append(str(entry["name"]))
        self._home.write(_FILE, {})
        return ended

    def add(self, child: Child) -> None:
        """Remember a child that has just been started."""
        born = born_at(child.pid)
        if born is not None:
            program = child.program
            self._children[str(child.pid)] = {"name": program.name, "born": born, "signal": int(program.stop_signal)}
            self._home.write(_FILE, self._children)

    def remove(self, child: Child) -> None:
        """Forget a child that has ended."""
        if self._children.pop(str(child.pid), None) is not None:
            self._home.write(_FILE, self._children)
