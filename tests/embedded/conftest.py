"""Homes for stacks of their own, apart from the suite's, and processes that run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from chatvista.embedded.home import CHECKOUT
from chatvista.embedded.surroundings import SHARED


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder whose path has a space and a quote, below one that every user may enter (pytest's own is 0700)."""
    with tempfile.TemporaryDirectory(prefix="chatvista home's ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / ".chatvista"


@pytest.fixture
def bare() -> dict[str, str]:
    """The caller's environment without anything the suite, its stack and pytest-django have put there."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {*SHARED, "DJANGO_SETTINGS_MODULE"} and not name.startswith(("CHATVISTA_", "DO_SPACES_"))
    }


@pytest.fixture
def python(home: Path, bare: dict[str, str]) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Run a program text that finds `home` in CHATVISTA_HOME; killed at the end if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str, *, environ: Mapping[str, str] = {}) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", text],
            env={**bare, "CHATVISTA_HOME": str(home), **environ},
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def outside_reach() -> Iterator[Path]:
    """A home below a folder that only its owner may enter, as root's own is."""
    with tempfile.TemporaryDirectory(prefix="chatvista-closed-") as folder:
        Path(folder).chmod(0o700)
        home = Path(folder) / ".chatvista"
        yield home
        record = home / "postgresql.json"
        if record.exists():
            shutil.rmtree(json.loads(record.read_text())["place"])
