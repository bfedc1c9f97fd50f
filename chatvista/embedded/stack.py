"""The three servers as one thing that starts and stops, and the environment that leads Django to them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.keyring import server_secrets
from chatvista.embedded.ledger import Ledger
from chatvista.embedded.postgres import Postgres
from chatvista.embedded.processes import Child, last_lines
from chatvista.embedded.servers import Server, free_port
from chatvista.embedded.spaces import Spaces
from chatvista.embedded.surroundings import local_values, replaces_spaces
from chatvista.embedded.valkey import Valkey

_READY_WITHIN = 60.0
_STOPPED_WITHIN = 15.0
_ATTEMPTS = 3


class Stack:
    """The embedded servers of one home; only those that `environ` does not replace are started.

    One process at a time may hold a home's stack: see `claiming`. Servers end when that process ends, however it
    ends (on Linux; elsewhere the next start ends what a crash left behind).

    Args:
        home: the folder of the stack, created where it is missing.
        environ: the caller's environment (with `.env`): what it sets, wins.
        careless: trade durability for speed; for tests, whose data are thrown away.
    """

    def __init__(self, home: Path, *, environ: Mapping[str, str], careless: bool = False) -> None:
        self.home = Home(home.absolute())
        self.ledger = Ledger(self.home)
        self._environ = dict(environ)
        self._careless = careless
        self._running: list[tuple[Server, Child]] = []
        self._postgres: Postgres | None = None

    def start(self) -> dict[str, str]:
        """Start what is missing and return the complete environment for Django.

        Raises:
            StackError: a server does not start; those already started have been stopped again.
        """
        self.home.prepare()
        self.ledger.end_orphans()
        try:
            variables = self._start_all(self._servers())
        except BaseException:
            self.stop()
            raise
        supplied = local_values(home=self.home, environ=self._environ) | variables
        return supplied | {name: value for name, value in self._environ.items() if value or name not in supplied}

    def stop(self) -> None:
        """Stop all servers cleanly, in parallel; by force after 15 seconds. Stopping twice does nothing."""
        for _, child in self._running:
            child.ask_to_stop()
        deadline = time.monotonic() + _STOPPED_WITHIN
        while self._running:
            _, child = self._running.pop()
            child.finish(patience=max(0.0, deadline - time.monotonic()))
            self.ledger.remove(child)
        if self._postgres is not None:
            self._postgres.release()

    def ended(self) -> str | None:
        """A sentence about a server that ended by itself; None while all run."""
        for server, child in self._running:
            if child.exit_code is not None:
                return _epitaph(server, child)
        return None

    def bound_logs(self) -> list[Path]:
        """The logs of the running servers, for who keeps them bounded."""
        return [child.program.log for _, child in self._running if child.program.log]

    def _servers(self) -> list[Server]:
        secrets = server_secrets(home=self.home)
        servers: list[Server] = []
        if not self._environ.get("DATABASE_URL"):
            self._postgres = Postgres(home=self.home, password=secrets["postgres_password"], careless=self._careless)
            servers.append(self._postgres)
        if not self._environ.get("REDIS_URL"):
            databases = 64 if self._careless else 16
            servers.append(Valkey(home=self.home, password=secrets["valkey_password"], databases=databases))
        if not replaces_spaces(self._environ):
            keys = {name: secrets[f"s3_{name}"] for name in ("access_key", "secret_key")}
            servers.append(Spaces(home=self.home, **keys))
        return servers

    def _start_all(self, servers: list[Server]) -> dict[str, str]:
        for server in servers:
            server.prepare()
        # All are spawned before any is waited for.
        started = [(server, *self._spawn(server)) for server in servers]
        variables: dict[str, str] = {}
        for server, child, port in started:
            variables |= server.variables(port=self._settle(server, child, port))
        return variables

    def _spawn(self, server: Server) -> tuple[Child, int]:
        port = free_port()
        child = Child(server.program(port=port))
        self._running.append((server, child))
        self.ledger.add(child)
        return child, port

    def _settle(self, server: Server, child: Child, port: int) -> int:
        """Wait until the server serves; one that ends at once may have lost its port and gets another."""
        for attempt in range(1, _ATTEMPTS + 1):
            if _becomes_ready(server, child, port):
                return port
            self._running.remove((server, child))
            self.ledger.remove(child)
            with contextlib.suppress(OSError):
                child.ask_to_stop()
            child.finish(patience=1.0)
            if attempt < _ATTEMPTS:
                child, port = self._spawn(server)
        raise StackError(_epitaph(server, child))


def _becomes_ready(server: Server, child: Child, port: int) -> bool:
    deadline = time.monotonic() + _READY_WITHIN
    while child.exit_code is None:
        if server.is_ready(port=port):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return False


def _epitaph(server: Server, child: Child) -> str:
    log = child.program.log
    told = f" Its log ({log}) ends:\n{last_lines(log)}" if log else ""
    how = "does not answer" if child.exit_code is None else f"ended (exit code {child.exit_code})"
    return f"{server.name} {how}.{told}"
