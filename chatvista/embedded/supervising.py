"""The supervisor: everything up in the right order, kept up, the sample sent, everything down again."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from types import FrameType

from chatvista.embedded import preparing
from chatvista.embedded.attaching import publish
from chatvista.embedded.claiming import Claim
from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.keeping import Part
from chatvista.embedded.parts import part_program, python_program
from chatvista.embedded.ports import chosen_port
from chatvista.embedded.processes import Child, Program, last_lines
from chatvista.embedded.servers import LOOPBACK
from chatvista.embedded.stack import Stack
from chatvista.embedded.storytelling import complain, say
from chatvista.embedded.waiting import is_served, wait_while

_WEB_WITHIN = 60.0
_PARTS_STOPPED_WITHIN = 10.0
_USERS_GONE_WITHIN = 3.0


class StopAskedError(Exception):
    """Somebody pressed Ctrl-C, or the system wants us gone."""


class Supervisor:
    """One run, in one thread: what must be waited for is polled, so that a stop is never far away.

    Args:
        claim: this home's stack, owned by us.
        is_demo: leave when the sample is through, instead of staying.
    """

    def __init__(self, *, home: Home, claim: Claim, environ: Mapping[str, str], is_demo: bool) -> None:
        self._home = home
        self._claim = claim
        self._is_demo = is_demo
        self._began = time.monotonic()
        port = chosen_port(environ, may_move=is_demo)
        self._url = f"http://{LOOPBACK}:{port}"
        self._port = port
        self._stack = Stack(home.path, environ={**environ, "PORT": str(port)})
        self._parts: dict[str, Part] = {}
        self._stops = 0

    def run(self) -> int:
        """Run until stopped (0), until the demo is through (0 when it worked), or until something breaks (1)."""
        previous = {number: signal.signal(number, self._note_stop) for number in _STOP_SIGNALS}
        try:
            sample = self._bring_up()
            return self._stay(sample)
        except StopAskedError:
            return 130 if self._is_demo else 0
        except StackError as error:
            complain(f"\n{error}")
            return 1
        finally:
            self._take_down()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _bring_up(self) -> Child:
        say("ChatVista: starting PostgreSQL, Valkey and an S3 server ...")
        environ = self._stack.start()
        publish(self._home, kind="run", variables=environ)
        self._claim.open()
        self._parts = {
            name: Part(part_program(name, home=self._home, environ=environ), ledger=self._stack.ledger)
            for name in ("web", "worker", "beat")
        }
        if preparing.is_prepared(home=self._home, environ=environ):
            # Nothing will change below it: the first page need not wait.
            self._parts["web"].start()
            self._await_web()
            self._prepare(environ, "migrate")
            self._prepare(environ, "seed")
        else:
            self._prepare(environ, "migrate")
            self._parts["web"].start()
            self._prepare(environ, "seed")
            self._await_web()
        preparing.note_prepared(home=self._home, environ=environ)
        for name in ("worker", "beat"):
            self._parts[name].start()
        self._introduce()
        words = ["-m", "chatvista.embedded", "sample", "--url", self._url]
        program = python_program("sample", words=words, home=self._home, environ=environ)
        return self._start(replace(program, log=None))

    def _prepare(self, environ: Mapping[str, str], name: str) -> None:
        words = preparing.commands(home=self._home)[name]
        say({"migrate": "  bringing the database up to date ...", "seed": "  accounts ..."}[name])
        self._finish(self._start(python_program(name, words=words, home=self._home, environ=environ)))

    def _await_web(self) -> None:
        deadline = time.monotonic() + _WEB_WITHIN
        web = self._parts["web"]
        while not is_served(self._port):
            self._pause()
            if web.deaths >= 2 or time.monotonic() > deadline:
                log = self._home.logs / "web.log"
                message = f"The web process does not answer. Its log ({log}) ends:\n{last_lines(log)}"
                raise StackError(message)
        say(f"  the first page was served after {time.monotonic() - self._began:.1f} s")

    def _introduce(self) -> None:
        say(f"\n  {self._url}/            what this is\n  {self._url}/api/docs    the API, to try")
        say(f"  {self._url}/admin/      for operators\n  {self._url}/health      whether it is well\n")
        for who, login in self._home.read(preparing.LOGINS).items():
            say(f"  {who + ':':<10} {login['email']}  {login['password']}")
        say(f"  (kept in {self._home.path / preparing.LOGINS})\n")

    def _stay(self, sample: Child) -> int:
        sample_code: int | None = None
        while True:
            self._pause()
            if sample_code is None and sample.exit_code is not None:
                sample_code = sample.exit_code
                self._forget(sample)
                if self._is_demo:
                    return 1 if sample_code else 0
                say("\nRunning. `.venv/bin/python manage.py COMMAND` works beside it; Ctrl-C stops everything.")

    def _pause(self) -> None:
        """A moment of waiting, in which the parts are looked after; raises when it is time to go."""
        if self._stops:
            raise StopAskedError
        self._stack.look()
        for part in self._parts.values():
            part.look()
        time.sleep(0.05)

    def _start(self, program: Program) -> Child:
        child = Child(program)
        self._stack.ledger.add(child)
        return child

    def _finish(self, child: Child) -> None:
        """Wait for a command that must succeed."""
        try:
            while child.exit_code is None:
                self._pause()
        finally:
            code = child.exit_code
            child.finish(patience=0)
            self._forget(child)
        log = child.program.log
        if code != 0 and log:
            message = f"{child.program.name} failed (exit code {code}). Its log ({log}) ends:\n{last_lines(log)}"
            raise StackError(message)

    def _forget(self, child: Child) -> None:
        self._stack.ledger.remove(child)

    def _take_down(self) -> None:
        stops = self._stops
        if self._parts:
            say("\nStopping ...")
        for part in self._parts.values():
            part.ask_to_stop()

        def hurried() -> bool:
            return self._stops > max(1, stops)

        wait_while(
            lambda: any(part.is_running for part in self._parts.values()) and not hurried(), _PARTS_STOPPED_WITHIN
        )
        for part in self._parts.values():
            part.end()
        if not hurried():
            self._claim.close_to_users(patience=_USERS_GONE_WITHIN)
        self._home.state.unlink(missing_ok=True)
        self._stack.stop()
        if self._parts:
            say("Stopped. The data are kept; `make run` continues with them.")

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        self._stops += 1


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
