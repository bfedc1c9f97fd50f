"""What a person reads in the terminal: plain lines, at once; nobody listening any more is no error."""

from __future__ import annotations

import contextlib
import sys


def say(text: str = "") -> None:
    """Print one line (or several)."""
    # `make run | head` closes our output; the servers do not care.
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def complain(text: str) -> None:
    """Print what went wrong to stderr."""
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
