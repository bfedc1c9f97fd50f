"""Requests to a real server as clients send them: in pieces, by hand, broken off."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

from tests.journeys.conftest import Web


def transcripts(address: str) -> str:
    return address.replace("/recordings", "/transcripts")


def answered(connection: http.client.HTTPConnection) -> tuple[int, dict[str, Any]]:
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def pieces(body: bytes, size: int = 7000) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def over_the_wire(web: Web, head: str, body: bytes, *, ends: bool = False) -> bytes:
    """The whole answer to a request written by hand; `ends` closes our side after it."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as wire:
        wire.sendall(f"{head}\r\nHost: 127.0.0.1\r\n\r\n".encode() + body)
        if ends:
            wire.shutdown(socket.SHUT_WR)
        taken = b""
        with contextlib.suppress(TimeoutError):
            while piece := wire.recv(65536):
                taken += piece
    return taken
