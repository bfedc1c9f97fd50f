"""Waiting for a web process to answer, and for others to end."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable

from chatvista.embedded.servers import LOOPBACK


def is_served(port: int) -> bool:
    """Whether a web process of ours answers on the loopback port."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_while(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until it no longer holds, or that long."""
    deadline = time.monotonic() + seconds
    while condition() and time.monotonic() < deadline:
        time.sleep(0.05)
