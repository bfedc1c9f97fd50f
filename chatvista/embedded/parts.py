"""Web, worker and beat: what they run, and one that dies is started again with a growing pause."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

from chatvista.embedded.home import CHECKOUT, Home
from chatvista.embedded.ledger import Ledger
from chatvista.embedded.processes import Child, Program, bound_log
from chatvista.embedded.storytelling import say

_LONGEST_PAUSE = 30.0
# A part that ran this long was well: what ends it then is a new trouble.
_WELL_AFTER = 60.0
_COMMANDS: Mapping[str, Sequence[str]] = {
    "web": ["-m", "gunicorn", "-c", "python:chatvista.serving", "chatvista.wsgi:application"],
    "worker": [
        *("-m", "celery", "-A", "chatvista", "worker", "-Q", "default,storage,media,backups", "--concurrency", "2"),
        *("-n", "worker@%h", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
    ],
    "beat": ["-m", "celery", "-A", "chatvista", "beat", "--loglevel", "INFO", "--pidfile="],
}


def part_program(name: str, *, home: Home, environ: Mapping[str, str]) -> Program:
    """What `web`, `worker` or `beat` runs."""
    words = list(_COMMANDS[name])
    if name == "beat":
        words += ["-s", str(home.path / "beat-schedule")]
    return python_program(name, words=words, home=home, environ=environ)


def python_program(name: str, *, words: Sequence[str], home: Home, environ: Mapping[str, str]) -> Program:
    """This environment's Python, in the checkout, with its own log."""
    return Program(
        name=name,
        command=[sys.executable, *words],
        environ={**environ, "PYTHONUNBUFFERED": "1"},
        folder=CHECKOUT,
        log=home.logs / f"{name}.log",
    )


class Part:
    """One of the three, kept running until it is asked to stop."""

    def __init__(self, program: Program, *, ledger: Ledger) -> None:
        self.program = program
        self.deaths = 0
        self._ledger = ledger
        self._child: Child | None = None
        self._due = 0.0

    def start(self) -> None:
        """Start it now."""
        self._child = Child(self.program)
        self._ledger.add(self._child)

    def look(self) -> None:
        """See whether it died; say so and start it again when its pause is over."""
        now = time.monotonic()
        if self._child is None:
            if self._due and now >= self._due:
                self.start()
            return
        if self.program.log:
            bound_log(self.program.log)
        code = self._child.exit_code
        if code is None:
            return
        self.deaths = 1 if now - self._child.started > _WELL_AFTER else self.deaths + 1
        pause = min(_LONGEST_PAUSE, 2.0 ** (self.deaths - 1))
        self._bury()
        self._due = now + pause
        name, log = self.program.name, self.program.log
        say(f"  {name} ended (exit code {code}); starting it again in {pause:.0f} s. See {log}")

    def ask_to_stop(self) -> None:
        """Ask it politely, and let it stay away."""
        self._due = 0.0
        if self._child is not None:
            self._child.ask_to_stop()

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._child is not None and self._child.exit_code is None

    def end(self) -> None:
        """End it now, with everything it has started."""
        self._due = 0.0
        self._bury()

    def _bury(self) -> None:
        if self._child is not None:
            # Its pool processes live on in its group when it was killed, and would work beside the next ones.
            self._child.finish(patience=0)
            self._ledger.remove(self._child)
            self._child = None
