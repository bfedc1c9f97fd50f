"""HTTP/1.1 on a bare socket, as far as a proxy before an S3 server needs it: heads, bodies piece by piece, resets."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

PIECE = 64 * 1024
LONGEST_HEAD = 64 * 1024


class GoneError(Exception):
    """The other end is gone, or a fault has broken off."""


@dataclass(slots=True)
class Head:
    """The first line of a message and its headers, in their order and spelling."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str) -> str:
        """A header's value, or nothing."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), "")

    def set(self, name: str, value: str | None) -> None:
        """Put one value in the place of all that a header had; None removes it."""
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    @property
    def status(self) -> int:
        """The status, of an answer."""
        return int(self.first.split(" ", 2)[1])

    @property
    def is_chunked(self) -> bool:
        """Whether the body says of every piece how long it is."""
        return "chunked" in self.get("Transfer-Encoding").lower()

    @property
    def length(self) -> int | None:
        """The announced length of the body."""
        said = self.get("Content-Length")
        return int(said) if said else None

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this message."""
        return "close" in self.get("Connection").lower() or self.first.endswith("HTTP/1.0")

    def __bytes__(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about, in the path style."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]

    @classmethod
    def of(cls, head: Head) -> Target:
        """Read it from the first line."""
        method, address, _ = head.first.split(" ", 2)
        parts = urlsplit(address)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        return cls(method, bucket, key, dict(parse_qsl(parts.query, keep_blank_values=True)))

    @property
    def is_listing(self) -> bool:
        """Whether it asks which keys there are."""
        return self.method == "GET" and not self.key and not {"location", "uploads", "versioning"} & set(self.query)


class Wire:
    """One end of a connection, with what was read ahead."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._ahead = b""
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def head(self) -> Head | None:
        """The next message's head; None when the other end has nothing more to say."""
        while b"\r\n\r\n" not in self._ahead:
            more = self._receive()
            if not more:
                return None
            self._ahead += more
            if len(self._ahead) > LONGEST_HEAD:
                raise GoneError("a head without an end")
        raw, _, self._ahead = self._ahead.partition(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        return Head(first, [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)])

    def body(self, head: Head, *, is_answer_to: str = "") -> Iterator[bytes]:
        """The body of a message piece by piece, without the framing of chunks. Raises GoneError when it breaks off."""
        if is_answer_to and (is_answer_to == "HEAD" or head.status in {204, 304}):
            return
        if head.is_chunked:
            yield from self._chunks()
        elif head.length is not None:
            yield from self._exactly(head.length)
        elif is_answer_to:
            while piece := self._take(PIECE):
                yield piece

    def send(self, raw: bytes) -> None:
        """Send all of it. Raises GoneError."""
        try:
            self.socket.sendall(raw)
        except OSError as error:
            raise GoneError(str(error)) from error

    def send_piece(self, piece: bytes, *, chunked: bool) -> None:
        """Send a piece of a body, framed if the body is; an empty one ends a framed body."""
        if chunked:
            self.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        elif piece:
            self.send(piece)

    def has_left(self, *, within: float) -> bool:
        """Wait that long at most; whether the other end has closed the connection meanwhile."""
        ready, _, _ = select.select([self.socket], [], [], within)
        if not ready:
            return False
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def reset(self) -> None:
        """Close it as a crashed machine would: by RST, what was not sent yet is lost."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError):
            self.socket.close()

    def _chunks(self) -> Iterator[bytes]:
        while size := self._chunk_size():
            yield from self._exactly(size)
            self._line()
        while self._line():
            """Trailers are nobody's here."""

    def _chunk_size(self) -> int:
        line = self._line()
        found = re.match(rb"[0-9a-fA-F]+", line)
        if found is None:
            raise GoneError(f"no chunk begins with {line[:20]!r}")
        return int(found[0], 16)

    def _line(self) -> bytes:
        while b"\r\n" not in self._ahead:
            more = self._receive()
            if not more:
                raise GoneError("ended within a body")
            self._ahead += more
        line, _, self._ahead = self._ahead.partition(b"\r\n")
        return line

    def _exactly(self, left: int) -> Iterator[bytes]:
        while left:
            piece = self._take(min(PIECE, left))
            if not piece:
                raise GoneError("ended within a body")
            left -= len(piece)
            yield piece

    def _take(self, most: int) -> bytes:
        if self._ahead:
            piece, self._ahead = self._ahead[:most], self._ahead[most:]
            return piece
        return self._receive(most)

    def _receive(self, most: int = PIECE) -> bytes:
        try:
            return self.socket.recv(most)
        except OSError as error:
            raise GoneError(str(error)) from error
