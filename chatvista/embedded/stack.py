"""The three servers as one thing that starts and stops, and the environment that leads Django to them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.keeping import Part
from chatvista.embedded.keyring import server_secrets
from chatvista.embedded.ledger import Ledger
from chatvista.embedded.postgres import Postgres
from chatvista.embedded.servers import Server, free_port
from chatvista.embedded.spaces import Spaces
from chatvista.embedded.surroundings import local_values, replaces_spaces
from chatvista.embedded.valkey import Valkey

_READY_WITHIN = 60.0
_STOPPED_WITHIN = 15.0
_ATTEMPTS = 3
# At the fifth death in a row nothing will heal by itself: a full disk, damaged data, a port lost for good.
_MOST_DEATHS = 5


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
        self._running: list[tuple[Server, Part]] = []
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
        for _, part in self._running:
            part.ask_to_stop()
        deadline = time.monotonic() + _STOPPED_WITHIN
        while self._running:
            _, part = self._running.pop()
            part.end(patience=max(0.0, deadline - time.monotonic()))
        if self._postgres is not None:
            self._postgres.release()

    def look(self) -> None:
        """Start a server that died again: on its port and with its data, so that its clients go on.

        Raises:
            StackError: a server dies as soon as it is started, again and again.
        """
        for _, part in self._running:
            part.look()

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
        for server, part, port in started:
            variables |= server.variables(port=self._settle(server, part, port))
        return variables

    def _spawn(self, server: Server) -> tuple[Part, int]:
        port = free_port()
        part = Part(server.program(port=port), ledger=self.ledger, most_deaths=_MOST_DEATHS)
        self._running.append((server, part))
        part.start()
        return part, port

    def _settle(self, server: Server, part: Part, port: int) -> int:
        """Wait until the server serves; one that ends at once may have lost its port and gets another."""
        for attempt in range(1, _ATTEMPTS + 1):
            if _becomes_ready(server, part, port):
                return port
            if attempt == _ATTEMPTS:
                break
            self._running.remove((server, part))
            part.ask_to_stop()
            part.end(patience=1.0)
            part, port = self._spawn(server)
        raise StackError(part.epitaph())


def _becomes_ready(server: Server, part: Part, port: int) -> bool:
    deadline = time.monotonic() + _READY_WITHIN
    while part.is_running:
        if server.is_ready(port=port):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return False
