"""How the embedded stack says that it cannot go on: one sentence for a person, no traceback."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot start or go on; the message says why and what to do about it."""
