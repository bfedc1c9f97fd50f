"""What the three embedded servers have in common, and the loopback ports they listen on."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from pathlib import Path
from typing import Protocol

from chatvista.embedded.failing import StackError
from chatvista.embedded.processes import Program

LOOPBACK = "127.0.0.1"


class Server(Protocol):
    """One server: prepared once, then started on a port of its own at every start.

    `prepare` may be called again after a crash at any point of an earlier call. A server listens on
    loopback only and lets nobody in without a password or key.
    """

    name: str

    def prepare(self) -> None:
        """Create what the server needs on disk; raise StackError when that cannot be done."""

    def program(self, *, port: int) -> Program:
        """What to start."""

    def is_ready(self, *, port: int) -> bool:
        """Whether clients are served; quick, never raises."""

    def variables(self, *, port: int) -> dict[str, str]:
        """The environment variables by which Django finds this server."""


def free_port() -> int:
    """A port that was free a moment ago; a start that loses the race for it is tried again with another."""
    # Below those that systems lend to outgoing connections, or a server that is restarted might find its port lent.
    for port in (*secrets.SystemRandom().sample(range(20_000, 32_000), 20), 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            found: int = probe.getsockname()[1]
            return found
    message = f"No port on {LOOPBACK} is free."
    raise StackError(message)


def accepts(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def plain_environment(*, folder: Path) -> dict[str, str]:
    """A server's environment: nothing of the caller's that could change what it does."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"HOME": str(folder), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
