"""The bytes of a request: read in pieces or whole, with or without an announced length, and never taken for complete
where they broke off.

Django hands out an empty stream for a body without Content-Length, and REST framework then takes it for no body at all.
Where the server frames chunked bodies itself (`wsgi.input_terminated`), `ChunkedBodies` gives both the real one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import IO, Any

from django.http import HttpRequest, HttpResponse
from gunicorn.http.errors import ChunkMissingTerminator, ParseException  # type: ignore[import-untyped]  # it ships none
from rest_framework.request import Request

from chatvista.foundation.envelope import answer
from chatvista.foundation.problems import Problem

PIECE = 1024 * 1024


class Body:
    """A stream that says what went wrong: 400 `body_cut_short` for a broken one, `malformed_body` for bad framing.

    Args:
        source: anything with `read(size)`, empty at the end.
        announced: how many bytes there should be, where that is known.
    """

    def __init__(self, *, source: Any, announced: int | None) -> None:
        self.announced = announced
        self._source = source

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, at most `size`; empty at the end."""
        try:
            piece: bytes = self._source.read(size)
        except (OSError, ChunkMissingTerminator) as error:
            raise _cut_short() from error
        except ParseException as error:
            raise Problem("malformed_body", "The body's chunks cannot be told apart.") from error
        return piece

    def whole(self, *, largest: int) -> bytes:
        """All of it. Problem 413 `body_too_large` beyond `largest` bytes, unread where so much is announced."""
        if (self.announced or 0) > largest:
            raise _too_large(largest)
        pieces, size = [], 0
        while piece := self.read(min(PIECE, largest + 1 - size)):
            pieces.append(piece)
            size += len(piece)
            if size > largest:
                raise _too_large(largest)
        # A connection that ends early ends the stream as a complete body does.
        if self.announced is not None and size < self.announced:
            raise _cut_short()
        return b"".join(pieces)


def parsed_body(stream: IO[Any], parser_context: Mapping[str, Any] | None) -> Body:
    """The body as REST framework gives it to a parser."""
    request: Request | None = (parser_context or {}).get("request")
    return Body(source=stream, announced=announced_length(request) if request is not None else None)


def announced_length(request: HttpRequest | Request) -> int | None:
    """Content-Length, or None; Problem 400 `malformed_body` where it is no number."""
    written = str(request.META.get("CONTENT_LENGTH") or "")
    if not written:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", written):
        raise Problem("malformed_body", "Content-Length is not a number of bytes.")
    return int(written)


class ChunkedBodies:
    """Middleware: a body that comes in chunks is a body. 411 `length_required` where the server does not frame it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request, with its real body where Django would give an empty one."""
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            if not request.META.get("wsgi.input_terminated"):
                return answer(Problem("length_required", "Send the body with a Content-Length.", status=411))
            # What Django reads of itself it bounds (DATA_UPLOAD_MAX_MEMORY_SIZE), and parsers bound what they read.
            request._stream = _Unclosed(request.META["wsgi.input"])  # type: ignore[assignment]  # noqa: SLF001  the only place where Django takes a stream
            # REST framework asks this for whether there is a body, after CONTENT_LENGTH; no client can set it, and
            # any number but 0 says that there is one.
            request.META["HTTP_CONTENT_LENGTH"] = "-1"
        return self.get_response(request)


class _Unclosed:
    """The server's stream for Django, which closes what it has read: the rest is still the server's."""

    def __init__(self, stream: Any) -> None:
        self.read = stream.read
        self.readline = stream.readline

    def close(self) -> None:
        """Leave it open."""


def _cut_short() -> Problem:
    return Problem("body_cut_short", "The connection broke before the body was complete.")


def _too_large(largest: int) -> Problem:
    return Problem("body_too_large", f"The body may hold {largest} bytes.", status=413)
