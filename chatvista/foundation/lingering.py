"""Letting a client read the answer to a request whose body nobody read, and telling it that the connection ends there.

gunicorn keeps a connection after it threw away the rest of a body, but it does so for 64 KiB only and drops the
connection otherwise, whatever it announced. And a client that is still sending when a connection closes gets a reset
instead of the answer, unless the rest of its body is taken for a while (the "lingering close" of web servers; RFC 9112,
section 9.6).
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from django.db import connections

LINGER_SECONDS = 10.0
QUIET_SECONDS = 2.0
"""A client that says nothing for so long has read its answer, or gone."""
DRAINED_BYTES = 60 * 1024
"""A rest below this gunicorn itself takes, and keeps the connection."""
_PIECE = 256 * 1024

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class _Stream(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def readline(self, size: int = -1, /) -> bytes: ...


class Lingering:
    """Around a WSGI application. A request without a body passes by untouched."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the request; close the connection, in time to say so, where much of its body was left unread."""
        length = environ.get("CONTENT_LENGTH") or ""
        is_bodiless = not environ.get("HTTP_TRANSFER_ENCODING") and length in {"", "0"}
        stream = environ["wsgi.input"]
        # Another server than gunicorn as `chatvista.serving` sets it up settles this for itself.
        hang_up = getattr(stream, "hang_up", None)
        if is_bodiless or hang_up is None:
            return self._application(environ, start_response)
        watched = _Watched(stream, announced=int(length) if length.isdecimal() else None)
        environ["wsgi.input"] = watched
        answer = self._application(environ, start_response)
        if watched.is_left_clean:
            return answer
        # In time: the headers go out with the first bytes of the answer.
        hang_up()
        return _LastAnswer(answer, connection=environ["gunicorn.socket"])


class _Watched:
    """The server's stream, counted; every line or byte goes through it."""

    def __init__(self, stream: _Stream, *, announced: int | None) -> None:
        self._stream = stream
        self._left = announced
        self._has_ended = False
        self.has_failed = False

    @property
    def is_left_clean(self) -> bool:
        """Whether what is left unread is known, and little enough for the server to take it itself."""
        if self.has_failed or self._has_ended:
            return not self.has_failed
        return self._left is not None and self._left < DRAINED_BYTES

    def read(self, size: int = -1, /) -> bytes:
        """Bytes of the body."""
        return self._counted(self._stream.read, size)

    def readline(self, size: int = -1, /) -> bytes:
        """A line of the body."""
        return self._counted(self._stream.readline, size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _counted(self, take: Callable[[int], bytes], size: int) -> bytes:
        try:
            piece = take(size)
        except Exception:
            self.has_failed = True
            raise
        if self._left is not None:
            self._left -= len(piece)
        self._has_ended = self._has_ended or (size != 0 and not piece)
        return piece


class _LastAnswer:
    """The last answer on a connection; servers close it once all of it is sent."""

    def __init__(self, answer: Iterable[bytes], *, connection: Any) -> None:
        self._answer = answer
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Close the answer, say that nothing follows, and throw away what the client still sends, for a while."""
        getattr(self._answer, "close", lambda: None)()
        # Nobody waits for a database while listening to noise.
        connections.close_all()
        # A client that went away or says nothing more ends it; gunicorn then closes the connection.
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            until = time.monotonic() + LINGER_SECONDS
            # As it comes, and not by the server's stream, which waits until it holds what it was asked for.
            while (left := until - time.monotonic()) > 0:
                self._connection.settimeout(min(left, QUIET_SECONDS))
                if not self._connection.recv(_PIECE):
                    return
