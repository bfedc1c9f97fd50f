"""The secrets of a stack: made once, kept 0600 beside the data, the same at every start."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from chatvista.embedded.home import Home

_TOKEN: Callable[[], str] = lambda: secrets.token_urlsafe(48)  # noqa: E731 - a named recipe, used as a value
_HEX: Callable[[], str] = lambda: secrets.token_hex(32)  # noqa: E731 - a named recipe, used as a value

APPLICATION = {
    "JWT_SECRET": _TOKEN,
    "JWT_REFRESH_SECRET": _TOKEN,
    "SESSION_SECRET": _TOKEN,
    "ENCRYPTION_KEY": _HEX,
    "SIGNING_KEY": _HEX,
}
SERVERS = {
    "postgres_password": lambda: secrets.token_urlsafe(24),
    "valkey_password": lambda: secrets.token_urlsafe(24),
    "s3_access_key": lambda: secrets.token_hex(10).upper(),
    "s3_secret_key": lambda: secrets.token_urlsafe(30),
}


def application_secrets(*, home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """The application's secrets, or none where the caller sets any of them.

    A half-set environment is a mistake that the settings name; inventing the rest would hide it, and would
    sign or encrypt with keys nobody knows of.
    """
    if any(environ.get(name) for name in APPLICATION):
        return {}
    return _kept(home=home, name="secrets.json", recipes=APPLICATION)


def server_secrets(*, home: Home) -> dict[str, str]:
    """Passwords and keys of the embedded servers, by the names of `SERVERS`."""
    return _kept(home=home, name="services.json", recipes=SERVERS)


def _kept(*, home: Home, name: str, recipes: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    kept: dict[str, str] = {key: str(value) for key, value in home.read(name).items()}
    missing = {key: recipe() for key, recipe in recipes.items() if key not in kept}
    if missing:
        kept |= missing
        home.write(name, kept)
    return kept
