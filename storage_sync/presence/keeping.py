"""The thread that keeps a node alive: its heartbeat, and the chores of its disk.

Web processes and the pool processes of a worker each run one. All of them beat; the one that holds the lock on the disk
works the timetable of `chores`. Nothing that goes wrong in a chore or in the database ends the thread.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Sequence

import structlog
from django.db import Error as DatabaseProblem
from django.db import connection

from storage_sync.presence import disks, nodes
from storage_sync.presence.chores import TIMETABLE, Chore
from storage_sync.sides.local import local

logger = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
REMEMBERED_FROM = 600.0
STAGGER_SECONDS = 10.0
STOPPED_WITHIN = 3.0
SOON_SECONDS = 2.0
"""After this long a beat or a chore that the database refused is tried again."""


class Keeper:
    """One process's part in keeping its node alive.

    Args:
        timetable: the chores.
        patience: seconds before this process reaches for the chores; others of the node may be better placed.
        tick: seconds between two looks at the clock.
    """

    def __init__(
        self, *, timetable: Sequence[Chore] = TIMETABLE, patience: float = 0.0, tick: float = TICK_SECONDS
    ) -> None:
        self._tick = tick
        self._patience_until = time.monotonic() + patience
        self._presence = nodes.Presence()
        self._tending = disks.Tending(local().root)
        self._stop = threading.Event()
        self._next_beat = 0.0
        self._trouble = ""
        self._confusion = ""
        self._work = _Timetable(timetable, self._tending)
        self._thread = threading.Thread(target=self._run, name="node-keeper", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; a chore under way is left to itself, which it is made for."""
        self._stop.set()
        self._thread.join(STOPPED_WITHIN)

    @property
    def is_refused(self) -> bool:
        """Whether another machine is alive under our name."""
        return self._trouble == nodes.NameTakenError.__name__

    def _run(self) -> None:
        # The process may still be settling in: whoever starts us closes what its parent has left open.
        while not self._stop.wait(self._tick):
            if time.monotonic() >= self._next_beat:
                self._beat()
                wait = min(SOON_SECONDS, nodes.interval()) if self._trouble else nodes.interval()
                self._next_beat = time.monotonic() + wait
            if time.monotonic() >= self._patience_until:
                self._tend()
        self._tending.give_back()

    def _tend(self) -> None:
        """Work the timetable, if the disk is ours to tend. Whatever fails here, the thread lives: it has the lock."""
        try:
            if self._tending.hold():
                self._work.look()
        except Exception as error:
            trouble = type(error).__name__
            if trouble != self._confusion:
                # Once per trouble, not once per tick.
                logger.exception("node_cannot_tend")
            self._confusion = trouble
        else:
            self._confusion = ""

    def _beat(self) -> None:
        trouble = ""
        try:
            nodes.beat(self._presence)
        except (DatabaseProblem, OSError, nodes.NameTakenError) as error:
            trouble = type(error).__name__
            if trouble != self._trouble:
                # Once per trouble, not once per beat: an outage lasts for many.
                logger.warning("node_cannot_beat", error=str(error), kind=trouble)
        except Exception:
            trouble = "bug"
            logger.exception("node_cannot_beat")
        finally:
            _let_go()
        if self._trouble and not trouble:
            logger.info("node_beats_again")
        self._trouble = trouble


class _Timetable:
    """Which chores are due, and which are under way."""

    def __init__(self, chores: Sequence[Chore], tending: disks.Tending) -> None:
        self._chores = chores
        self._tending = tending
        self._due: dict[str, float] = {}
        self._running: dict[str, tuple[threading.Thread, float]] = {}
        self._warned: set[str] = set()

    def look(self) -> None:
        """Start what is due, and say what takes too long."""
        # Not by the time of day: where that is set back, nothing would be due for as long.
        now = time.monotonic()
        if not self._due:
            self._plan(now)
        for chore in self._chores:
            if self._is_running(chore) or now < self._due[chore.name]:
                continue
            self._due[chore.name] = now + chore.every
            thread = threading.Thread(target=self._do, args=(chore,), name=f"chore-{chore.name}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                self._due[chore.name] = now + min(SOON_SECONDS, chore.every)
                logger.warning("chore_cannot_begin", chore=chore.name, error=str(error))
                continue
            self._running[chore.name] = (thread, now)

    def _plan(self, now: float) -> None:
        done, clock = self._tending.remembered(), time.time()
        for chore in self._chores:
            # Not all at once, and not all nodes of a deployment together.
            soon = now + random.uniform(0, min(STAGGER_SECONDS, chore.every))  # noqa: S311  no secret
            ago = max(0.0, clock - done.get(chore.name, 0.0))
            self._due[chore.name] = max(soon, now + chore.every - ago) if chore.every >= REMEMBERED_FROM else soon

    def _is_running(self, chore: Chore) -> bool:
        if chore.name not in self._running:
            return False
        thread, began = self._running[chore.name]
        if not thread.is_alive():
            del self._running[chore.name]
            self._warned.discard(chore.name)
            return False
        if time.monotonic() - began > chore.longest and chore.name not in self._warned:
            self._warned.add(chore.name)
            logger.warning("chore_takes_long", chore=chore.name, seconds=round(time.monotonic() - began))
        return True

    def _do(self, chore: Chore) -> None:
        try:
            chore.run()
            if chore.every >= REMEMBERED_FROM:
                self._tending.remember({**self._tending.remembered(), chore.name: time.time()})
        except DatabaseProblem as error:
            self._due[chore.name] = time.monotonic() + min(SOON_SECONDS, chore.every)
            logger.warning("chore_postponed", chore=chore.name, error=str(error))
        except Exception:
            logger.exception("chore_failed", chore=chore.name)
        finally:
            _let_go()


_keeper: Keeper | None = None


def keep_alive(*, patience: float = 0.0) -> Callable[[], None]:
    """Start this process's keeper; call what it gives to end it. Starting it twice changes nothing."""
    global _keeper  # noqa: PLW0603  one per process, and none of its parent's
    if _keeper is None:
        _keeper = Keeper(patience=patience)
        _keeper.start()
    return stop


def stop() -> None:
    """End this process's keeper, if it has one."""
    global _keeper  # noqa: PLW0603
    if _keeper is not None:
        _keeper.stop()
        _keeper = None


def is_refused() -> bool:
    """Whether this process must not serve, because another machine is alive under the name of its node."""
    return _keeper is not None and _keeper.is_refused


def _forget_parent() -> None:
    global _keeper  # noqa: PLW0603  threads do not come along into a forked child
    _keeper = None


os.register_at_fork(after_in_child=_forget_parent)


def _let_go() -> None:
    """Back to the pool: the thread would keep a connection that it uses once in a while."""
    with contextlib.suppress(DatabaseProblem):
        connection.close()
