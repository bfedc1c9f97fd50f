"""Web, worker and beat: what they run."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from chatvista.embedded.home import CHECKOUT, Home
from chatvista.embedded.processes import Program

_COMMANDS: Mapping[str, Sequence[str]] = {
    "web": ["-m", "gunicorn", "-c", "python:chatvista.serving", "chatvista.wsgi:application"],
    "worker": [
        *("-m", "celery", "-A", "chatvista", "worker", "-Q", "default,storage,media,backups", "--concurrency", "2"),
        *("--loglevel", "INFO", "--without-gossip", "--without-mingle"),
    ],
    "beat": ["-m", "celery", "-A", "chatvista", "beat", "--loglevel", "INFO", "--pidfile="],
}


def part_program(name: str, *, home: Home, environ: Mapping[str, str]) -> Program:
    """What `web`, `worker` or `beat` runs."""
    words = list(_COMMANDS[name])
    if name == "beat":
        words += ["-s", str(home.path / "beat-schedule")]
    if name == "worker":
        # Two workers of one machine must not have one name.
        words += ["-n", f"worker@{environ.get('CHATVISTA_NODE') or '%h'}"]
    return python_program(name, words=words, home=home, environ=environ)


def python_program(name: str, *, words: Sequence[str], home: Home, environ: Mapping[str, str]) -> Program:
    """This environment's Python, in the checkout, with its own log."""
    return Program(
        name=name,
        command=[sys.executable, *words],
        environ={**environ, "PYTHONUNBUFFERED": "1"},
        folder=CHECKOUT,
        log=home.logs / f"{name}.log",
    )
