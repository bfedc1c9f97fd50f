"""An environment that lets settings load where nothing is reached: type checks, schema, help."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from chatvista.embedded.keyring import APPLICATION


def with_placeholders(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with servers that do not exist and secrets that are forgotten at once, where it names none."""
    nowhere = {
        "DATABASE_URL": f"postgresql://nobody:{secrets.token_hex(4)}@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CHATVISTA_STORAGE_PATH": str(Path("/nonexistent/chatvista")),
        "CHATVISTA_DISK_DURABLE": "true",
        "CHATVISTA_PLAIN_HTTP": "true",
        "CHATVISTA_EMBEDDED": "off",
    }
    forgotten = {name: recipe() for name, recipe in APPLICATION.items()}
    return nowhere | forgotten | {name: value for name, value in environ.items() if value}
