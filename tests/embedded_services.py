"""The servers of the test suite: one embedded stack in a temporary home for all workers, gone afterwards.

Loaded by `-p tests.embedded_services`, before pytest-django reads the settings. DATABASE_URL and REDIS_URL of the
caller's shell (not of a `.env`) replace their servers; Spaces is always the embedded one unless
CHATVISTA_TEST_SPACES=1, because tests empty it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from chatvista.embedded.keyring import APPLICATION
from chatvista.embedded.stack import Stack
from chatvista.embedded.surroundings import SHARED, with_dotenv

_MARK = "CHATVISTA_TEST_STACK"
_KEPT = ("DATABASE_URL", "REDIS_URL")
# What a developer's shell may hold and no test may see.
_LEAKS = ("OPENAI_", "SMTP_", "DO_SPACES_", "CHATVISTA_", "CORS_", "SENTRY_", "STORAGE_", "RCLONE_", "AWS_", "EMAIL_")
_OWN = ("CHATVISTA_TEST_SPACES", _MARK)


def _is_kept(name: str) -> bool:
    if name in _KEPT or name in _OWN:
        return True
    if name.startswith("DO_SPACES_") and os.environ.get("CHATVISTA_TEST_SPACES") == "1":
        return True
    return not name.startswith(_LEAKS) and name not in APPLICATION and name not in SHARED


class _Services:
    """The running stack and its folder."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="chatvista-test-"))
        kept = {name: value for name, value in os.environ.items() if _is_kept(name)}
        self._stack = Stack(self._home, environ=kept, careless=True)
        try:
            complete = self._stack.start()
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise
        for name in set(os.environ) - set(kept):
            del os.environ[name]
        os.environ.update(complete)
        # Settings read `.env` below the environment: an empty value keeps the developer's own out.
        for name in with_dotenv({}):
            if not _is_kept(name):
                os.environ.setdefault(name, "")
        os.environ[_MARK] = str(self._home)

    def stop(self) -> None:
        """Stop the servers and remove their data."""
        self._stack.stop()
        shutil.rmtree(self._home, ignore_errors=True)


# Workers of xdist inherit the environment, and with it the mark; the controller imports this first.
_services = None if os.environ.get(_MARK) else _Services()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this process has started, after everybody else has let go of it."""
    if _services is not None:
        _services.stop()


if _services is not None:
    # A run that ends before it is configured never comes to `pytest_unconfigure`.
    atexit.register(_services.stop)
