"""`manage.py` without variables: use the stack that runs, or start one for the length of the command."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from types import FrameType

from chatvista.embedded.claiming import Claim
from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.stack import Stack
from chatvista.embedded.surroundings import SHARED, is_complete, with_dotenv, with_placeholders
from chatvista.embedded.wheels import are_installed

_STARTED_WITHIN = 60.0
_NEEDS_NOTHING = {"help", "version", "--help", "--version", "-h"}


@contextmanager
def attached(argv: Sequence[str], *, environ: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Lead the command `argv` to a running stack by setting variables in `environ`.

    Does nothing where the caller names all servers itself, says CHATVISTA_EMBEDDED=off, has no wheels installed,
    or asks for help only. What the caller sets always wins.

    Raises:
        StackError: the stack cannot be started, or somebody else's start takes longer than a minute.
    """
    outside = with_dotenv(environ)
    wanted = environ.get("CHATVISTA_EMBEDDED", "").lower() not in {"off", "0", "false", "no"}
    if not _needs_services(argv):
        # Help on a command loads the settings, and reaches nothing.
        environ.update(with_placeholders(outside))
        yield
        return
    if not wanted or is_complete(outside) or not are_installed():
        yield
        return
    home = Home.of(environ)
    with Claim(home) as claim:
        _claim(claim)
        if claim.is_user:
            environ.update(_shared_by(home, outside=outside))
            yield
            return
        stack = Stack(home.path, environ=outside)
        with _ending_by_exception():
            try:
                complete = stack.start()
                publish(home, kind="command", variables=complete)
                environ.update({name: complete[name] for name in SHARED if name in complete})
                claim.open()
                yield
            finally:
                _wait_for_users(claim)
                home.state.unlink(missing_ok=True)
                stack.stop()


def publish(home: Home, *, kind: str, variables: MutableMapping[str, str]) -> None:
    """Tell other commands how to reach the stack that this process runs; `kind` is `run` or `command`."""
    shared = {name: variables[name] for name in SHARED if name in variables}
    home.write(home.state.name, {"kind": kind, "pid": os.getpid(), "variables": shared})


def _needs_services(argv: Sequence[str]) -> bool:
    words = list(argv[1:])
    return bool(words) and words[0] not in _NEEDS_NOTHING and not {"--help", "-h"} & set(words)


def _claim(claim: Claim) -> None:
    deadline = time.monotonic() + _STARTED_WITHIN
    while not claim.attempt():
        if time.monotonic() > deadline:
            message = "Another process has been starting or stopping the embedded stack for a minute; try again later."
            raise StackError(message)
        time.sleep(0.05)


def _shared_by(home: Home, *, outside: MutableMapping[str, str]) -> dict[str, str]:
    variables: dict[str, str] = home.read(home.state.name).get("variables", {})
    return {name: value for name, value in variables.items() if not outside.get(name) and name != "PORT"}


def _wait_for_users(claim: Claim) -> None:
    """Other commands may have joined our stack: it ends when the last of them has."""
    if not claim.close_to_users(patience=1.0):
        sys.stderr.write("Waiting for other commands that use this command's servers (Ctrl-C stops them).\n")
        claim.close_to_users(patience=math.inf)


@contextmanager
def _ending_by_exception() -> Iterator[None]:
    """Turn the signals that would end us on the spot into an exception, so that the servers are stopped."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
