"""The environment of Django: what the caller says, what a `.env` adds, what the stack supplies; else placeholders."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from chatvista.embedded.home import CHECKOUT, Home
from chatvista.embedded.keyring import APPLICATION, application_secrets

DEFAULT_PORT = "8000"
SERVED = ("DATABASE_URL", "REDIS_URL", "DO_SPACES_ENDPOINT")
_SPACES = (
    "DO_SPACES_ENDPOINT",
    "DO_SPACES_REGION",
    "DO_SPACES_BUCKET",
    "DO_SPACES_ACCESS_KEY",
    "DO_SPACES_SECRET_KEY",
    "DO_SPACES_ADDRESSING",
)
_LOCAL = (
    "CHATVISTA_STORAGE_PATH",
    "CHATVISTA_NODE",
    "CHATVISTA_DISK_DURABLE",
    "CHATVISTA_PLAIN_HTTP",
    "ALLOWED_HOSTS",
    "MAX_BODY_BYTES",
    "PUBLIC_URL",
    "LOG_FORMAT",
)
# What other commands must share with a running stack, wherever each value came from.
SHARED = ("DATABASE_URL", "REDIS_URL", *_SPACES, *APPLICATION, *_LOCAL, "PORT")


def with_dotenv(environ: Mapping[str, str], *, checkout: Path = CHECKOUT) -> dict[str, str]:
    """The caller's environment and, below it, the checkout's `.env`, read as the settings read it."""
    merged = {name: value for name, value in environ.items() if value != "" or name not in SHARED}
    file = checkout / ".env"
    if file.is_file():
        import environ as django_environ  # noqa: PLC0415 - only needed where the file exists

        class _Reader(django_environ.Env):  # type: ignore[misc]  # its class is not typed
            """django-environ's parser, writing into a mapping of ours."""

            ENVIRON = merged

        _Reader.read_env(file)
    return merged


def replaces_spaces(environ: Mapping[str, str]) -> bool:
    """Whether the caller brings Spaces along; a half-set family counts, so that the settings name what is missing."""
    return any(
        environ.get(name)
        for name in ("DO_SPACES_ENDPOINT", "DO_SPACES_BUCKET", "DO_SPACES_ACCESS_KEY", "DO_SPACES_SECRET_KEY")
    )


def is_complete(environ: Mapping[str, str]) -> bool:
    """Whether the caller replaces every embedded server."""
    return all(environ.get(name) for name in SERVED)


def local_values(*, home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """What a one-machine installation says about itself, and its secrets."""
    return application_secrets(home=home, environ=environ) | {
        "CHATVISTA_STORAGE_PATH": str(home.storage),
        "CHATVISTA_DISK_DURABLE": "true",
        "CHATVISTA_PLAIN_HTTP": "true",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "MAX_BODY_BYTES": str(5 * 1024**3),
        "PUBLIC_URL": f"http://127.0.0.1:{environ.get('PORT') or DEFAULT_PORT}",
        "LOG_FORMAT": "console",
    }


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
