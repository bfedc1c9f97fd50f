"""ETag and If-Match for rows with a `revision`: a lost update is refused instead of silently done."""

from __future__ import annotations

from typing import Protocol

from rest_framework.request import Request

from chatvista.foundation.problems import Problem


class Revised(Protocol):
    """A row that counts its changes."""

    revision: int


def etag(row: Revised) -> str:
    """The strong entity tag of a row at its revision."""
    return f'"{row.revision}"'


def require_current(*, request: Request, row: Revised) -> None:
    """Raise Problem 412 `stale_revision` when the client names a revision that is no longer the current one.

    Call it with the row locked: only then does "current" hold until the change is committed.
    """
    wanted = request.headers.get("If-Match", "").strip()
    if not wanted or wanted == "*":
        return
    if etag(row) not in [tag.strip().removeprefix("W/") for tag in wanted.split(",")]:
        raise Problem(
            "stale_revision",
            f"It has changed since you read it; its current ETag is {etag(row)}. Read it again and repeat your change.",
            status=412,
        )
