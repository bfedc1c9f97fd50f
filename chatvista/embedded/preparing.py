"""Migrating and seeding: always run, but a start that changes nothing need not keep the web process waiting."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from chatvista.embedded.home import CHECKOUT, Home

_FILE = "prepared.json"
LOGINS = "logins.json"


def commands(*, home: Home) -> dict[str, list[str]]:
    """The arguments of Python, by what the log calls them, in order."""
    return {
        "migrate": ["manage.py", "migrate", "--noinput"],
        "seed": ["manage.py", "seed", "--logins", str(home.path / LOGINS)],
    }


def is_prepared(*, home: Home, environ: Mapping[str, str]) -> bool:
    """Whether this very code has migrated this very database before.

    Then `migrate`, which runs all the same, will find nothing to do, and web may start beside it.
    """
    return home.read(_FILE).get("state") == _state(environ)


def note_prepared(*, home: Home, environ: Mapping[str, str]) -> None:
    """Remember that migrations and seed are done."""
    home.write(_FILE, {"state": _state(environ)})


def _state(environ: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    files = [CHECKOUT / "uv.lock", *sorted(CHECKOUT.glob("*/migrations/*.py"))]
    files += sorted((CHECKOUT / "chatvista").glob("*/migrations/*.py"))
    for file in files:
        if file.is_file():
            digest.update(f"{file.relative_to(CHECKOUT)}\0".encode())
            digest.update(file.read_bytes())
    # Our own database changes its port at every start but not its password; the caller's is named by its URL.
    url = environ["DATABASE_URL"]
    credentials, _, place = url.rpartition("@")
    is_ours = place.startswith("127.0.0.1:") and place.endswith("/chatvista")
    digest.update((credentials if is_ours else url).encode())
    return digest.hexdigest()
