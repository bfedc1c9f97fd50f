"""Letting a client read why its body was refused.

A client that is still sending when the connection closes gets a reset instead of the answer, unless the rest of its
body is taken and thrown away for a while (the "lingering close" of web servers; RFC 9112, section 9.6). gunicorn does
so for 64 KiB, which is less than what fits into the buffers on the way.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from django.db import connections
from django.http.response import HttpResponseBase
from rest_framework.request import Request

LINGER_SECONDS = 10.0
_PIECE = 256 * 1024


def linger_after(*, request: Request, response: HttpResponseBase) -> None:
    """Once the answer is out, throw away what the client still sends, for ten seconds at most."""
    environ: dict[str, Any] = getattr(request._request, "environ", {})  # noqa: SLF001  the server's own dictionary
    # Only a server that frames bodies itself stops reading where the body ends; others might wait for ever.
    if environ.get("wsgi.input_terminated") and "gunicorn.socket" in environ:
        response._resource_closers.append(lambda: _throw_away(environ))  # type: ignore[attr-defined]  # noqa: SLF001  what Django runs once the answer is sent


def _throw_away(environ: dict[str, Any]) -> None:
    connection, body = environ["gunicorn.socket"], environ["wsgi.input"]
    # Nobody waits for a database while listening to noise.
    connections.close_all()
    until = time.monotonic() + LINGER_SECONDS
    before = connection.gettimeout()
    try:
        # A client that went away or says nothing more ends it; gunicorn then closes the connection.
        with contextlib.suppress(OSError):
            while (left := until - time.monotonic()) > 0:
                connection.settimeout(left)
                if not body.read(_PIECE):
                    return
    finally:
        with contextlib.suppress(OSError):
            connection.settimeout(before)
