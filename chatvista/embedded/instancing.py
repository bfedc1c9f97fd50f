"""`make instance`: one more web process and worker beside a running `make run`, with a local disk of its own.

Database, Valkey, Space and secrets are the running stack's. It ends with Ctrl-C, or when that stack does.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from chatvista.embedded.claiming import Claim, FileLock
from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.keeping import Part
from chatvista.embedded.ledger import Ledger
from chatvista.embedded.parts import part_program
from chatvista.embedded.ports import chosen_port
from chatvista.embedded.processes import last_lines
from chatvista.embedded.servers import LOOPBACK
from chatvista.embedded.storytelling import complain, say
from chatvista.embedded.surroundings import with_dotenv
from chatvista.embedded.waiting import is_served, wait_while

_DEFAULT_PORT = "8001"
_EXAMPLE = "make instance PORT=8002"
_WEB_WITHIN = 60.0
_STOPPED_WITHIN = 10.0
_LOOK_AT_STACK_EVERY = 1.0
# These say which instance it is: a `.env` and the running stack say them of the first one.
_OWN = ("CHATVISTA_STORAGE_PATH", "CHATVISTA_NODE", "PUBLIC_URL", "PORT")
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_instance(environ: Mapping[str, str] = os.environ) -> int:
    """Run one more instance in the foreground; returns the exit code."""
    home = Home.of(environ)
    try:
        stack = _running_stack(home)
        port = chosen_port(environ, may_move=False, default=_DEFAULT_PORT, example=_EXAMPLE)
        return Instance(home=home, stack=stack, environ=environ, port=port).run()
    except StackError as error:
        complain(str(error))
        return 1


def _running_stack(home: Home) -> dict[str, object]:
    """What the `make run` of this home tells others. Raises StackError when there is none."""
    with Claim(home) as claim:
        deadline = time.monotonic() + 10.0
        while not claim.attempt() and time.monotonic() < deadline:
            time.sleep(0.05)
        state = home.read(home.state.name) if claim.is_user else {}
    if state.get("kind") != "run":
        message = "No stack runs in this checkout: start it with `make run` in another terminal, then try again."
        raise StackError(message)
    return state


class Instance:
    """One more web process and worker, kept running as `make run` keeps its own."""

    def __init__(self, *, home: Home, stack: Mapping[str, object], environ: Mapping[str, str], port: int) -> None:
        self._stack_home, self._stack = home, stack
        self._port = port
        # A home below the stack's own: logs, the disk, and the list of processes that a crash would leave behind.
        self._home = Home(home.path / "instances" / str(port))
        self._environ = _environ_of_instance(stack=stack, environ=environ, home=self._home, port=port)
        self._parts: dict[str, Part] = {}
        self._stops = 0
        self._look_at_stack_at = 0.0

    def run(self) -> int:
        """Run until stopped (0), or until the stack ends or something breaks (1)."""
        self._home.prepare()
        lock = FileLock(self._home.path / "owner.lock")
        if not lock.try_exclusive():
            lock.close()
            message = f"An instance on port {self._port} already runs. Choose another port, for example: {_EXAMPLE}"
            raise StackError(message)
        previous = {number: signal.signal(number, self._note_stop) for number in _STOP_SIGNALS}
        try:
            self._bring_up()
            while self._goes_on():
                time.sleep(0.05)
        except StackError as error:
            complain(f"\n{error}")
            return 1
        else:
            return 0
        finally:
            self._take_down()
            for number, handler in previous.items():
                signal.signal(number, handler)
            lock.close()

    def _bring_up(self) -> None:
        ledger = Ledger(self._home)
        ledger.end_orphans()
        self._parts = {
            name: Part(part_program(name, home=self._home, environ=self._environ), ledger=ledger)
            for name in ("web", "worker")
        }
        for part in self._parts.values():
            part.start()
        web, deadline = self._parts["web"], time.monotonic() + _WEB_WITHIN
        while not is_served(self._port):
            if not self._goes_on():
                return
            if web.deaths >= 2 or time.monotonic() > deadline:
                log = self._home.logs / "web.log"
                message = f"The web process does not answer. Its log ({log}) ends:\n{last_lines(log)}"
                raise StackError(message)
            time.sleep(0.05)
        say(f"\nOne more instance runs at http://{LOOPBACK}:{self._port}/ with files in {self._disk}.")
        say("Ctrl-C stops it; the stack it belongs to goes on.")

    @property
    def _disk(self) -> Path:
        return Path(self._environ["CHATVISTA_STORAGE_PATH"])

    def _goes_on(self) -> bool:
        """Look after the parts; False when we were asked to stop. Raises StackError when the stack has ended."""
        if self._stops:
            return False
        if time.monotonic() >= self._look_at_stack_at:
            self._look_at_stack_at = time.monotonic() + _LOOK_AT_STACK_EVERY
            now = self._stack_home.read(self._stack_home.state.name)
            if now.get("pid") != self._stack.get("pid"):
                message = "The stack this instance belongs to has ended. Start it again, and then the instance."
                raise StackError(message)
        for part in self._parts.values():
            part.look()
        return True

    def _take_down(self) -> None:
        if self._parts:
            say("\nStopping this instance ...")
        for part in self._parts.values():
            part.ask_to_stop()
        wait_while(lambda: self._stops < 2 and any(part.is_running for part in self._parts.values()), _STOPPED_WITHIN)
        for part in self._parts.values():
            part.end()

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        self._stops += 1


def _environ_of_instance(
    *, stack: Mapping[str, object], environ: Mapping[str, str], home: Home, port: int
) -> dict[str, str]:
    """The stack's variables, the caller's above them, and what makes this instance another one."""
    shared = stack["variables"]
    assert isinstance(shared, dict)  # noqa: S101  for mypy: `publish` writes a dictionary
    outside = {name: value for name, value in with_dotenv(environ).items() if name not in _OWN}
    own = {
        "PORT": str(port),
        "PUBLIC_URL": environ.get("PUBLIC_URL") or f"http://{LOOPBACK}:{port}",
        "CHATVISTA_STORAGE_PATH": environ.get("CHATVISTA_STORAGE_PATH") or str(home.storage),
        "CHATVISTA_NODE": environ.get("CHATVISTA_NODE") or f"{socket.gethostname()}-{port}",
    }
    for name, what in (("CHATVISTA_STORAGE_PATH", "disk"), ("CHATVISTA_NODE", "name")):
        if own[name] == (shared.get(name) or (socket.gethostname() if name == "CHATVISTA_NODE" else "")):
            message = f"{name} is that of the running stack: an instance has a {what} of its own."
            raise StackError(message)
    return shared | outside | own
