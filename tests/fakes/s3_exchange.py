"""One connection through the failing proxy: a request to the store, its answer back, and what goes wrong with them."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.fakes.s3_wire import GoneError, Head, Target, Wire

if TYPE_CHECKING:
    from tests.fakes.s3_faults import Fault, FaultySpace, Seen

WRONG_ETAG = "0123456789abcdef0123456789abcdef"
_ANSWERED_AT_ONCE = {"slow_down", "refuse"}
_CHANGES_XML = {"empty_listing", "truncated_listing", "etag"}


class Exchange:
    """A client's connection and the one to the store that belongs to it; both are kept as long as they last."""

    def __init__(self, *, space: FaultySpace, client: Wire) -> None:
        self._space = space
        self._client = client
        self._store: Wire | None = None

    def close(self) -> None:
        """Close both."""
        self._client.close()
        self._hang_up()

    def next(self) -> bool:
        """Pass on one request; False when the connection is at its end. Raises GoneError when it is broken off."""
        head = self._client.head()
        if head is None:
            return False
        seen, fault = self._space.note(Target.of(head), range_=head.get("Range"))
        kind = fault.kind if fault else ""
        if fault is not None:
            if kind == "reset":
                raise GoneError("reset")
            if kind in {"hang", "delay"}:
                self._wait(fault, then_cut=kind == "hang")
            if kind in _ANSWERED_AT_ONCE:
                return self._refuse(head, fault, seen)
        store = self._dial()
        self._pass_request(store, head, fault, seen)
        return self._pass_answer(store, fault, seen) and not head.closes

    def _refuse(self, head: Head, fault: Fault, seen: Seen) -> bool:
        waits = "100-continue" in head.get("Expect").lower()
        if not waits:
            for _ in self._client.body(head):
                """What was sent is thrown away."""
        seen.status = fault.status
        code = "SlowDown" if fault.kind == "slow_down" else fault.code
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>Asked for by a test.'
            f"</Message><RequestId>test</RequestId></Error>"
        ).encode()
        answer = Head(f"HTTP/1.1 {fault.status} Refused")
        answer.headers = [("Content-Type", "application/xml"), ("Retry-After", str(fault.retry_after))]
        answer.set("Content-Length", str(len(text)))
        if waits:
            answer.set("Connection", "close")
        self._client.send(bytes(answer) + (b"" if seen.target.method == "HEAD" else text))
        return not waits and not head.closes

    def _pass_request(self, store: Wire, head: Head, fault: Fault | None, seen: Seen) -> None:
        if "100-continue" in head.get("Expect").lower():
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            # Not one of the signed headers; the store need not be asked again.
            head.set("Expect", None)
        store.send(bytes(head))
        for piece in self._hurt_request(self._client.body(head), fault, seen):
            seen.sent += len(piece)
            store.send_piece(piece, chunked=head.is_chunked)
        if head.is_chunked:
            store.send_piece(b"", chunked=True)

    def _hurt_request(self, pieces: Iterator[bytes], fault: Fault | None, seen: Seen) -> Iterator[bytes]:
        if fault is None or fault.kind not in {"reset_in_request", "flip_request"}:
            yield from pieces
            return
        if fault.kind == "flip_request":
            yield from _with_flipped_bit(pieces, fault.at)
            return
        for piece in pieces:
            if seen.sent + len(piece) > fault.at:
                if self._store is not None:
                    self._store.send(piece[: fault.at - seen.sent])
                    self._store.reset()
                raise GoneError("reset within the request")
            yield piece

    def _pass_answer(self, store: Wire, fault: Fault | None, seen: Seen) -> bool:
        answer = store.head()
        while answer is not None and answer.status == 100:
            answer = store.head()
        if answer is None:
            raise GoneError("the store has gone")
        seen.status = answer.status
        pieces = store.body(answer, is_answer_to=seen.target.method)
        if fault is not None:
            pieces = self._hurt_answer(answer, pieces, fault, seen)
        is_endless = answer.length is None and not answer.is_chunked and seen.target.method != "HEAD"
        self._client.send(bytes(answer))
        for piece in pieces:
            self._send_piece(piece, answer, fault, seen)
        if answer.is_chunked:
            self._client.send_piece(b"", chunked=True)
        if answer.closes or is_endless:
            self._hang_up()
        return not (is_endless and answer.status not in {204, 304}) and not answer.closes

    def _hurt_answer(self, answer: Head, pieces: Iterator[bytes], fault: Fault, seen: Seen) -> Iterator[bytes]:
        if fault.kind in {"answer_lost", "answer_held"}:
            for _ in pieces:
                """The deed is done, only the answer is not told."""
            if fault.kind == "answer_held":
                self._wait(fault, then_cut=True)
            raise GoneError("the answer is lost")
        if fault.kind in _CHANGES_XML and answer.status < 300:
            return _rewritten(answer, pieces, fault, method=seen.target.method)
        if fault.kind == "flip_answer":
            return _with_flipped_bit(pieces, fault.at)
        return pieces

    def _send_piece(self, piece: bytes, answer: Head, fault: Fault | None, seen: Seen) -> None:
        breaks = fault is not None and fault.kind in {"reset_in_answer", "short_read"}
        if fault is not None and breaks and seen.got + len(piece) > fault.at:
            self._client.send_piece(piece[: fault.at - seen.got], chunked=answer.is_chunked)
            if fault.kind == "short_read":
                self._client.close()
            raise GoneError("broken off within the answer")
        seen.got += len(piece)
        self._client.send_piece(piece, chunked=answer.is_chunked)

    def _wait(self, fault: Fault, *, then_cut: bool) -> None:
        released, until = self._space.released, time.monotonic() + fault.seconds
        while time.monotonic() < until and not released.wait(0.02):
            # A client that still sends its body is there; only one that has closed has given up.
            if self._client.has_left(within=0):
                raise GoneError("the client gave up")
        if then_cut:
            raise GoneError("hung long enough")

    def _dial(self) -> Wire:
        if self._store is not None and self._store.has_left(within=0):
            self._hang_up()
        if self._store is None:
            try:
                self._store = Wire(socket.create_connection(self._space.address, timeout=10))
            except OSError as error:
                raise GoneError(str(error)) from error
            self._store.socket.settimeout(None)
        return self._store

    def _hang_up(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


def _with_flipped_bit(pieces: Iterator[bytes], at: int) -> Iterator[bytes]:
    passed = 0
    for piece in pieces:
        if passed <= at < passed + len(piece):
            changed = bytearray(piece)
            changed[at - passed] ^= 1
            yield bytes(changed)
        else:
            yield piece
        passed += len(piece)


def _rewritten(answer: Head, pieces: Iterator[bytes], fault: Fault, *, method: str) -> Iterator[bytes]:
    """The answer with other contents. Only XML is taken whole; of anything else the head alone changes."""
    if fault.kind == "etag" and answer.get("ETag"):
        answer.set("ETag", f'"{WRONG_ETAG}"')
    if method == "HEAD" or "xml" not in answer.get("Content-Type"):
        return pieces
    text = b"".join(pieces).decode()
    if fault.kind == "etag":
        text = re.sub(r"<ETag>.*?</ETag>", f"<ETag>&quot;{WRONG_ETAG}&quot;</ETag>", text, flags=re.DOTALL)
    else:
        kept = 0 if fault.kind == "empty_listing" else fault.at
        found = re.findall(r"<Contents>.*?</Contents>", text, flags=re.DOTALL)
        for item in found[kept:]:
            text = text.replace(item, "", 1)
        text = re.sub(r"<IsTruncated>.*?</IsTruncated>", "<IsTruncated>false</IsTruncated>", text)
        text = re.sub(r"<(NextContinuationToken|NextMarker)>.*?</\1>", "", text, flags=re.DOTALL)
        text = re.sub(r"<KeyCount>.*?</KeyCount>", f"<KeyCount>{min(kept, len(found))}</KeyCount>", text)
    raw = text.encode()
    answer.set("Transfer-Encoding", None)
    answer.set("Content-Length", str(len(raw)))
    return iter([raw])
