"""A Space that fails on request: a proxy in threads before a real S3 server, which hurts the requests it is told to.

    with FaultySpace(upstream=settings.SPACES_ENDPOINT) as space:
        settings.SPACES_ENDPOINT = space.url
        space.inject(Fault("slow_down", method="PUT", key=r"^recordings/", times=2))

Hosts are passed through, so signatures hold. `python -m tests.fakes.s3_faults --upstream URL --port N --control M`
runs it as a process of its own, steered over http://127.0.0.1:M (see `s3_control`).
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, get_args
from urllib.parse import urlsplit

from tests.fakes.s3_exchange import Exchange
from tests.fakes.s3_wire import GoneError, Target, Wire

Kind = Literal[
    "slow_down",  # 503 SlowDown; the store never hears of the request
    "refuse",  # `status` and `code` of your choice; the store never hears of it
    "reset",  # RST before the body is read
    "reset_in_request",  # RST after `at` bytes of the body, on both sides
    "reset_in_answer",  # RST after `at` bytes of the answer's body
    "short_read",  # a polite end after `at` bytes of the answer's body
    "answer_lost",  # the store does it, and the connection is cut before the answer
    "answer_held",  # the store does it, and the answer does not come for `seconds`, then the connection is cut
    "hang",  # nothing happens for `seconds`, then the connection is cut
    "delay",  # goes on after `seconds`
    "flip_request",  # one bit of the byte `at` of the request's body
    "flip_answer",  # one bit of the byte `at` of the answer's body
    "empty_listing",  # a listing without keys
    "truncated_listing",  # a listing of the first `at` keys that claims to be complete
    "etag",  # another ETag than the store's
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to go wrong, with which requests.

    Args:
        kind: see above.
        method: of the request; empty for any.
        key: regular expression found in the key; empty for any. The bucket is not part of it.
        query: parameters the request must have; None for any value, e.g. {"partNumber": "2"} or {"uploads": None}.
        listing: True for listings only (so for the kinds that change listings), False for anything else only.
        nth: the first matching request that is hurt, counted from 1.
        times: how many are hurt from there on; 0 for all.
        at: bytes, or keys of a listing.
        status, code, retry_after: of the answer.
        seconds: of waiting.
    """

    kind: Kind
    method: str = ""
    key: str = ""
    query: Mapping[str, str | None] = field(default_factory=dict)
    listing: bool | None = None
    nth: int = 1
    times: int = 1
    at: int = 0
    status: int = 503
    code: str = "SlowDown"
    retry_after: int = 1
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no fault; there are {', '.join(KINDS)}")

    def concerns(self, target: Target) -> bool:
        """Whether the request is one of those meant."""
        listing = True if self.kind.endswith("_listing") else self.listing
        return (
            self.method in {"", target.method}
            and (listing is None or listing == target.is_listing)
            and re.search(self.key, target.key) is not None
            and all(name in target.query and value in {None, target.query[name]} for name, value in self.query.items())
        )


@dataclass(slots=True)
class Seen:
    """One request: when it came (monotonic), what became of it, and how many bytes went through."""

    target: Target
    range: str
    at: float
    fault: str = ""
    status: int = 0
    sent: int = 0
    got: int = 0


class FaultySpace:
    """The proxy. It listens from the moment it is entered; `down` and `up` as often as you like, the port stays."""

    def __init__(self, upstream: str, *, port: int = 0) -> None:
        parts = urlsplit(upstream)
        self.address = (parts.hostname or "127.0.0.1", parts.port or 80)
        # Bound and never listening: while we are down connections are refused, and nobody else gets the port.
        self._place = _bound(("127.0.0.1", port))
        self.port: int = self._place.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.seen: list[Seen] = []
        self._faults: list[Fault] = []
        self._matched: dict[int, int] = {}
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._wires: set[Wire] = set()
        self.released = threading.Event()

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mend()
        self.down()
        self._place.close()

    def inject(self, *faults: Fault) -> None:
        """From now on; of several that concern a request the first one given hurts it."""
        with self._lock:
            for fault in faults:
                self._matched[len(self._faults)] = 0
                self._faults.append(fault)

    def mend(self) -> None:
        """No faults any more; what hangs is cut off."""
        with self._lock:
            self._faults.clear()
            self._matched.clear()
            self.released.set()
            self.released = threading.Event()

    def forget(self) -> None:
        """Count requests from here on."""
        with self._lock:
            self.seen.clear()

    def requests(self, method: str = "", key: str = "", *, listing: bool | None = None, status: int = 0) -> list[Seen]:
        """The requests so far, of a method, with a regular expression found in their key, answered with a status."""
        with self._lock:
            seen = list(self.seen)
        return [
            one
            for one in seen
            if method in {"", one.target.method}
            and re.search(key, one.target.key)
            and (listing is None or listing == one.target.is_listing)
            and status in {0, one.status}
        ]

    def down(self) -> None:
        """Refuse connections and reset those there are."""
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        if self._accepting is not None:
            self._accepting.join()
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.socket.shutdown(socket.SHUT_RDWR)

    def up(self) -> None:
        """Take connections (again)."""
        if self._listener is not None:
            return
        self._listener = _bound(("127.0.0.1", self.port))
        self._listener.listen(256)
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._accepting.start()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Down for as long as the body runs."""
        self.down()
        try:
            yield
        finally:
            self.up()

    def note(self, target: Target, *, range_: str) -> tuple[Seen, Fault | None]:
        """Write a request down and say what is to happen to it."""
        seen = Seen(target, range_, time.monotonic())
        with self._lock:
            self.seen.append(seen)
            for place, fault in enumerate(self._faults):
                if not fault.concerns(target):
                    continue
                self._matched[place] += 1
                if fault.nth <= self._matched[place] and (
                    fault.times == 0 or self._matched[place] < fault.nth + fault.times
                ):
                    seen.fault = fault.kind
                    return seen, fault
        return seen, None

    def _accept(self, listener: socket.socket) -> None:
        while listener.fileno() >= 0:
            # A closed socket does not wake an accept that waits for it.
            with contextlib.suppress(OSError, ValueError):
                if select.select([listener], [], [], 0.05)[0]:
                    connection, _ = listener.accept()
                    threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        client = Wire(connection)
        with self._lock:
            self._wires.add(client)
        exchange = Exchange(space=self, client=client)
        try:
            while exchange.next():
                """One request after another."""
        except (GoneError, OSError, ValueError):
            client.reset()
        finally:
            exchange.close()
            with self._lock:
                self._wires.discard(client)


def _bound(address: tuple[str, int]) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(address)
    return made


if __name__ == "__main__":
    from tests.fakes.s3_control import main

    main()
