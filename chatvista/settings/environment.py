"""Strict, typed readers of the environment: what is missing or malformed stops the boot by name, with its cure.

Readers never guess and no secret has a default. Every fault is collected first, so that an operator sees the
whole list at once. `READER.declared` remembers every name read; tests hold it against the documents.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

CHECKOUT = Path(__file__).resolve().parents[2]
SECRET_LENGTH = 32
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
PLACEHOLDERS = ("change-me", "changeme", "example", "your-", "replace", "<")


@dataclass(frozen=True, slots=True)
class Declared:
    """One variable the settings read: whether it must be given and what it means."""

    name: str
    required: bool
    default: str
    meaning: str


_NO_BOUND = 2**63 - 1


class EnvironmentReader:
    """Reads typed values from `values`; faults are collected until `stop_if_faulty`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.declared: dict[str, Declared] = {}
        self.faults: list[str] = []

    def text(self, name: str, meaning: str, *, default: str | None = None, pattern: str | None = None) -> str:
        """Any text; with `pattern`, text that matches it entirely."""
        raw = self._raw(name, meaning, default)
        if raw and pattern and not re.fullmatch(pattern, raw):
            self._fault(name, f"does not look like {pattern}", meaning)
        return raw

    def secret(self, name: str, meaning: str) -> str:
        """A secret of at least 32 characters that is not an example left in place. Never has a default."""
        raw = self._raw(name, meaning, None)
        cure = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        if raw and len(raw) < SECRET_LENGTH:
            self._fault(name, f"is shorter than {SECRET_LENGTH} characters", cure)
        elif any(mark in raw.lower() for mark in PLACEHOLDERS):
            self._fault(name, "still holds an example value", cure)
        return raw

    def hex_key(self, name: str, meaning: str) -> bytes:
        """A key of 32 bytes, written as 64 hexadecimal digits. Never has a default."""
        raw = self._raw(name, meaning, None)
        if raw and not re.fullmatch(r"[0-9a-fA-F]{64}", raw):
            self._fault(name, "is not 64 hexadecimal digits", "make one with: openssl rand -hex 32")
            return b""
        return bytes.fromhex(raw)

    def hex_keys(self, name: str, meaning: str) -> tuple[bytes, ...]:
        """Keys of 32 bytes each, comma-separated; none by default."""
        written = self.words(name, meaning, default="")
        if not all(re.fullmatch(r"[0-9a-fA-F]{64}", word) for word in written):
            self._fault(name, "holds something that is not 64 hexadecimal digits", "Separate the keys by commas.")
            return ()
        return tuple(bytes.fromhex(word) for word in written)

    def boolean(self, name: str, meaning: str, *, default: bool) -> bool:
        """True or false, written as a word people use for it."""
        raw = self._raw(name, meaning, str(default).lower()).lower()
        if raw not in TRUE | FALSE:
            self._fault(name, f"is {raw!r}, not true or false", meaning)
        return raw in TRUE

    def integer(self, name: str, meaning: str, *, default: int, least: int = 0, most: int = _NO_BOUND) -> int:
        """A whole number within bounds (both included)."""
        meaning = f"{meaning} {least} to {most}." if most < _NO_BOUND else f"{meaning} {least} or more."
        raw = self._raw(name, meaning, str(default))
        try:
            number = int(raw)
        except ValueError:
            self._fault(name, f"is {raw!r}, not a whole number", meaning)
            return default
        if not least <= number <= most:
            self._fault(name, f"is {number}, outside {least} to {most}", meaning)
            return default
        return number

    def choice(self, name: str, meaning: str, *, default: str, options: tuple[str, ...]) -> str:
        """One of a few words."""
        raw = self._raw(name, meaning, default)
        if raw not in options:
            self._fault(name, f"is {raw!r}, not one of {', '.join(options)}", meaning)
            return default
        return raw

    def url(self, name: str, meaning: str, *, schemes: tuple[str, ...], default: str | None = None) -> str:
        """An absolute URL with one of the given schemes, without a trailing slash."""
        raw = self._raw(name, meaning, default)
        if raw:
            try:
                parts = urlsplit(raw)
                well_formed = parts.scheme in schemes and bool(parts.netloc)
                _ = parts.port
            except ValueError:
                well_formed = False
            if not well_formed:
                self._fault(name, f"is not a URL beginning with {' or '.join(f'{s}://' for s in schemes)}", meaning)
        return raw.rstrip("/")

    def words(self, name: str, meaning: str, *, default: str) -> list[str]:
        """A comma-separated list."""
        return [word.strip() for word in self._raw(name, meaning, default).split(",") if word.strip()]

    def origins(self, name: str, meaning: str) -> list[str]:
        """A comma-separated list of web origins (scheme://host[:port]); `*` is refused."""
        found = self.words(name, meaning, default="")
        for origin in found:
            if not re.fullmatch(r"https?://[^/*\s]+", origin):
                self._fault(name, f"holds {origin!r}, which is not an origin like https://app.example.org", meaning)
        return found

    def is_given(self, name: str) -> bool:
        """Whether the variable is set to something."""
        return bool(self.values.get(name, "").strip())

    def fault(self, name: str, what: str, cure: str) -> None:
        """Add a fault found by combining variables."""
        self._fault(name, what, cure)

    def stop_if_faulty(self) -> None:
        """Raise ImproperlyConfigured naming every faulty variable and its cure."""
        if self.faults:
            listed = "\n".join(f"  {fault}" for fault in self.faults)
            raise ImproperlyConfigured(
                f"ChatVista cannot start, its environment is not complete:\n{listed}\n"
                "Every variable is explained in docs/environment.md; .env.example is a template."
            )

    def _raw(self, name: str, meaning: str, default: str | None) -> str:
        self.declared[name] = Declared(name, default is None, default or "", meaning)
        given = self.values.get(name, "").strip()
        if given:
            return given
        if default is None:
            self._fault(name, "is not set", meaning)
            return ""
        return default

    def _fault(self, name: str, what: str, cure: str) -> None:
        self.faults.append(f"{name} {what}. {cure}")


def _merged_environment() -> Mapping[str, str]:
    """The process's environment, with an optional `.env` of the checkout below it (the process wins)."""
    dotenv = CHECKOUT / ".env"
    if dotenv.is_file():
        environ.Env.read_env(dotenv)
    return os.environ


READER = EnvironmentReader(_merged_environment())
