"""Clients that upload and read through several instances as real ones do, and judge every answer they get."""

from __future__ import annotations

import hashlib
import http.client
import queue
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.journeys.houses import Answer, Caller
from tests.journeys.sounds import noise

# What an earlier try under the same key has begun is still held by a dead process, until its lease runs out.
_BEING_SETTLED = {"idempotency_key_in_use", "upload_being_settled"}
LARGE_SECONDS = 560  # 17.9 MB: goes to the Space in two parts
# Below the platform's 100 s; a client gives up and asks again.
PATIENCE = 95.0


@dataclass(slots=True)
class Piece:
    """One recording to be sent, under one Idempotency-Key however often that takes. Its sound is made when needed."""

    number: int
    seconds: float
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    not_before: float = 0.0
    tries: int = 0

    def sound(self) -> bytes:
        """The same at every call, another for every number."""
        return noise(seconds=self.seconds, seed=self.number)


class Load:
    """Uploads and reads. `acknowledged` is what the service has promised: id by sha256.

    Args:
        ports: of the instances; any request goes to any of them.
        large_every: every so manieth recording is sent to the Space in parts; 0 for none.
    """

    def __init__(self, caller: Caller, meeting: str, *, ports: list[int], large_every: int = 0) -> None:
        self.meeting = meeting
        self.acknowledged: dict[str, str] = {}
        self.sent: set[str] = set()
        self.wrong: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.stop = threading.Event()
        self._token = caller.token
        self._ports = ports
        self._large_every = large_every
        self._waiting: queue.Queue[Piece] = queue.Queue()
        self._made = self._tried = 0
        self._lock = threading.Lock()

    @property
    def untried(self) -> int:
        """Pieces that nobody has sent yet."""
        with self._lock:
            return self._made - self._tried

    @property
    def unfinished(self) -> int:
        """Pieces that were begun and are not acknowledged yet."""
        with self._lock:
            return self._made - len(self.acknowledged)

    def give(self, count: int) -> None:
        """Have that many more sent."""
        for _ in range(count):
            with self._lock:
                self._made += 1
                number = self._made
            is_large = self._large_every and number % self._large_every == 0
            seconds = LARGE_SECONDS if is_large else random.uniform(0.3, 3)
            self._waiting.put(Piece(number, seconds))

    @contextmanager
    def running(self, *, senders: int, readers: int) -> Iterator[None]:
        """Let so many clients work while the body runs, and wait until they have ended."""
        threads = [threading.Thread(target=self._send_all, daemon=True) for _ in range(senders)]
        threads += [threading.Thread(target=self._read_all, daemon=True) for _ in range(readers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(PATIENCE + 10)

    def caller(self, port: int = 0) -> Caller:
        """The same person, at an instance."""
        caller = Caller(port or random.choice(self._ports))
        caller.token = self._token
        return caller

    def visible(self, port: int) -> dict[str, str]:
        """What one instance lists: id by sha256. A recording that is listed twice is wrong."""
        found: dict[str, str] = {}
        address = f"/meetings/{self.meeting}/recordings?page_size=200"
        while address:
            answer = self.caller(port).ask("GET", address)
            assert answer.status == 200, answer.body
            for recording in answer.data["results"]:
                if recording["sha256"] in found:
                    self.wrong.append(f"listed twice: {recording['sha256']}")
                found[recording["sha256"]] = recording["id"]
            following = answer.data.get("next") or ""
            address = following[following.index("/api/") :] if following else ""
        return found

    def require_readable(self, port: int) -> None:
        """Every acknowledged file, and every other that is seen, comes with its own bytes from this instance."""
        seen = self.visible(port)
        assert self.acknowledged.items() <= seen.items(), self.acknowledged.items() - seen.items()
        assert seen.keys() <= self.sent, "what nobody has sent"
        for sha256, recording in seen.items():
            answer = self.caller(port).ask("GET", f"/recordings/{recording}/content")
            assert answer.status == 200, (recording, answer.status, answer.body[:300])
            assert hashlib.sha256(answer.body).hexdigest() == sha256

    def _send_all(self) -> None:
        while not self.stop.is_set():
            try:
                piece = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            if piece.not_before > time.monotonic():
                self._waiting.put(piece)
                time.sleep(0.02)
                continue
            wait = self._send(piece)
            if wait is not None:
                piece.not_before = time.monotonic() + wait
                self._waiting.put(piece)

    def _send(self, piece: Piece) -> float | None:
        """One try; None when it is done, else seconds to wait before the next."""
        with self._lock:
            self._tried += not piece.tries
        piece.tries += 1
        sound = piece.sound()
        sha256 = hashlib.sha256(sound).hexdigest()
        self.sent.add(sha256)
        try:
            answer = self.caller().upload(self.meeting, sound, key=piece.key)
        except (OSError, http.client.HTTPException) as error:
            return self._unanswered("upload", error)
        self._count(f"upload {answer.status}")
        if answer.status in {201, 202}:
            self._note_acknowledged(answer, sha256)
            return None
        if answer.status == 409 and answer.data.get("code") in _BEING_SETTLED:
            return min(10.0, float(answer.headers["retry-after"]))
        self._require_refusal("upload", answer)
        return 1.0

    def _note_acknowledged(self, answer: Answer, sha256: str) -> None:
        told = answer.data
        durability = told["storage"]["durability"]
        if told["sha256"] != sha256 or durability not in ({"both", "cloud"} if answer.status == 201 else {"local"}):
            self.wrong.append(f"{answer.status} for {sha256}: {told['sha256']}, {durability}")
        with self._lock:
            self.acknowledged[sha256] = told["id"]

    def _read_all(self) -> None:
        """Read what was promised, and what is merely seen: both must be whole, or be refused for now."""
        while not self.stop.wait(0.1):
            try:
                self._read_one()
            except (OSError, http.client.HTTPException) as error:
                time.sleep(self._unanswered("read", error))

    def _read_one(self) -> None:
        with self._lock:
            known = list(self.acknowledged.items())
        if random.random() < 0.3:
            listing = self.caller().ask("GET", f"/meetings/{self.meeting}/recordings?page_size=20", patience=PATIENCE)
            self._count(f"list {listing.status}")
            if listing.status != 200:
                self._require_refusal("list", listing)
                return
            known = [(one["sha256"], one["id"]) for one in listing.data["results"]] or known
        if not known:
            return
        sha256, recording = random.choice(known)
        answer = self.caller().ask("GET", f"/recordings/{recording}/content", patience=PATIENCE)
        self._count(f"read {answer.status}")
        if answer.status != 200:
            self._require_refusal(f"read {recording}", answer)
        elif hashlib.sha256(answer.body).hexdigest() != sha256:
            self.wrong.append(f"read {recording}: {len(answer.body)} other bytes")

    def _require_refusal(self, what: str, answer: Answer) -> None:
        """503, as a problem, with the time after which to come again: the only honest no."""
        is_problem = answer.headers.get("content-type") == "application/problem+json"
        if answer.status != 503 or not is_problem or not int(answer.headers.get("retry-after", "0")) > 0:
            self.wrong.append(f"{what}: {answer.status} {dict(answer.headers)} {answer.body[:300]!r}")

    def _unanswered(self, what: str, error: Exception) -> float:
        self._count(f"{what} unanswered")
        return 0.2

    def _count(self, what: str) -> None:
        with self._lock:
            self.outcomes[what] += 1
