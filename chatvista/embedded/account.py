"""Under which user PostgreSQL runs: it refuses root, so root lends it a user id that nobody else has."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

# From the range Debian reserves for such use (policy 9.2.2); a process of `nobody` could read its files.
_LENT_UID = 60717


@dataclass(frozen=True)
class Account:
    """User and group ids of a process, and the known user for the one tool (initdb) that wants a name."""

    uid: int
    gid: int
    named_uid: int
    named_gid: int

    def reaches(self, path: Path) -> bool:
        """Whether every folder above `path` lets this user through."""
        return all(
            parent.stat().st_mode & 0o001 or (parent.stat().st_uid == self.uid and parent.stat().st_mode & 0o100)
            for parent in path.absolute().parents
        )


def lent_account() -> Account | None:
    """The account PostgreSQL runs under when we are root; None when we are not, and it runs as we do."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    named_uid, named_gid = nobody.pw_uid % 2**32, nobody.pw_gid % 2**32
    if _is_mapped(_LENT_UID) and not _is_somebody(_LENT_UID):
        return Account(uid=_LENT_UID, gid=_LENT_UID, named_uid=named_uid, named_gid=named_gid)
    return Account(uid=named_uid, gid=named_gid, named_uid=named_uid, named_gid=named_gid)


def _is_somebody(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _is_mapped(uid: int) -> bool:
    """Whether a container's user namespace knows the id at all."""
    try:
        lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    except OSError:
        return True
    spans = [tuple(map(int, line.split())) for line in lines]
    return any(first <= uid < first + count for first, _, count in spans)
