"""Keeping a process running: one that dies is started again, with the same program, after a growing pause."""

from __future__ import annotations

import time

from chatvista.embedded.failing import StackError
from chatvista.embedded.ledger import Ledger
from chatvista.embedded.processes import Child, Program, bound_log, last_lines
from chatvista.embedded.storytelling import say

_LONGEST_PAUSE = 30.0
# A part that ran this long was well: what ends it then is a new trouble.
_WELL_AFTER = 10.0


class Part:
    """One process of the stack (a server, web, worker or beat), kept running until it is asked to stop.

    Args:
        program: what it runs, at every start the same: those who use it need not hear of its death.
        most_deaths: give up at this many deaths in quick succession; None never gives up.
    """

    def __init__(self, program: Program, *, ledger: Ledger, most_deaths: int | None = None) -> None:
        self.program = program
        self.deaths = 0
        self._ledger = ledger
        self._most_deaths = most_deaths
        self._child: Child | None = None
        self._due = 0.0

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._child is not None and self._child.exit_code is None

    @property
    def pid(self) -> int:
        """Its process id; ProcessLookupError while there is no process."""
        if self._child is None:
            raise ProcessLookupError
        return self._child.pid

    def start(self) -> None:
        """Start it now."""
        self._child = Child(self.program)
        self._ledger.add(self._child)

    def look(self) -> None:
        """See whether it died; say so and start it again when its pause is over.

        Raises:
            StackError: it has died too often.
        """
        now = time.monotonic()
        if self.program.log:
            bound_log(self.program.log)
        if self._child is None:
            if self._due and now >= self._due:
                self.start()
            return
        code = self._child.exit_code
        if code is None:
            return
        self.deaths = 1 if now - self._child.started > _WELL_AFTER else self.deaths + 1
        if self.deaths == self._most_deaths:
            raise StackError(self.epitaph())
        pause = min(_LONGEST_PAUSE, 2.0 ** (self.deaths - 1))
        self.end()
        self._due = now + pause
        name, log = self.program.name, self.program.log
        say(f"  {name} ended (exit code {code}); starting it again in {pause:.0f} s. See {log}")

    def epitaph(self) -> str:
        """A sentence on what is wrong with it, and the end of its log."""
        code = self._child.exit_code if self._child else None
        how = "does not answer" if code is None else f"ended (exit code {code})"
        again = f", {self.deaths} times in quick succession" if self.deaths > 1 else ""
        log = self.program.log
        told = f" Its log ({log}) ends:\n{last_lines(log)}" if log else ""
        return f"{self.program.name} {how}{again}.{told}"

    def ask_to_stop(self) -> None:
        """Ask it politely, and let it stay away."""
        self._due = 0.0
        if self._child is not None:
            self._child.ask_to_stop()

    def end(self, *, patience: float = 0.0) -> None:
        """Wait `patience` seconds for its end, then end it, with everything it has started."""
        self._due = 0.0
        if self._child is not None:
            # Its pool processes live on in its group when it was killed, and would work beside the next ones.
            self._child.finish(patience=patience)
            self._ledger.remove(self._child)
            self._child = None
