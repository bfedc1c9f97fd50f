"""The keys that keys are kept under: derived from ENCRYPTION_KEY, old ones still good for unwrapping.

A content is sealed by a random key of its own, which is kept wrapped beside it. Changing ENCRYPTION_KEY therefore means
wrapping these small keys again; what they seal stays as it is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from chatvista.foundation.ciphers import NONCE_BYTES
from chatvista.foundation.problems import PermanentError
from chatvista.foundation.signatures import subkey

KEY_BYTES = 32
KEY_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key that may be kept anywhere, and which master key opens it."""

    key_id: str
    wrapped: bytes


def new_key() -> bytes:
    """A random key for one content."""
    return os.urandom(KEY_BYTES)


def current_key_id() -> str:
    """The name of the master key that wraps from now on."""
    return _id_of(settings.ENCRYPTION_KEY)


def known_key_ids() -> frozenset[str]:
    """The names of all master keys of this process, old ones included."""
    return frozenset(_masters())


def wrap(*, purpose: str, key: bytes, context: bytes) -> WrappedKey:
    """Close a key under the current master key; only for the same purpose and context it opens again."""
    nonce = os.urandom(NONCE_BYTES)
    wrapped = nonce + _cipher(settings.ENCRYPTION_KEY, purpose).encrypt(nonce, key, context)
    return WrappedKey(key_id=current_key_id(), wrapped=wrapped)


def unwrap(*, purpose: str, wrapped: WrappedKey, context: bytes) -> bytes:
    """The key itself.

    Raises PermanentError: `encryption_key_unknown` when no key of this process has that name,
    `encryption_key_damaged` when what was kept is not what had been wrapped.
    """
    master = _masters().get(wrapped.key_id)
    if master is None:
        raise PermanentError(
            "encryption_key_unknown",
            f"This was sealed under the key {wrapped.key_id}, which is neither ENCRYPTION_KEY nor among "
            "ENCRYPTION_KEY_PREVIOUS.",
        )
    nonce, closed = wrapped.wrapped[:NONCE_BYTES], wrapped.wrapped[NONCE_BYTES:]
    try:
        return _cipher(master, purpose).decrypt(nonce, closed, context)
    except (InvalidTag, ValueError) as error:
        raise PermanentError("encryption_key_damaged", "The wrapped key is not what was kept.") from error


def _masters() -> dict[str, bytes]:
    return {_id_of(key): key for key in (settings.ENCRYPTION_KEY, *settings.ENCRYPTION_KEY_PREVIOUS)}


def _id_of(master: bytes) -> str:
    # Derived like any other subkey: it tells nothing about the key.
    return subkey(master, "key-id").hex()[:KEY_ID_DIGITS]


def _cipher(master: bytes, purpose: str) -> AESGCM:
    return AESGCM(subkey(master, f"wrapping:{purpose}"))
