"""Signed, expiring tokens for links. Each purpose has a subkey of its own, so that no token can pass for another.

Tokens are signed by SIGNING_KEY; those that a previous one signed still verify until they expire.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from chatvista.foundation.problems import Problem


@lru_cache(maxsize=32)
def subkey(key: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose, derived from a master key (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"chatvista:{purpose}".encode()).derive(key)


def sign(*, purpose: str, claims: dict[str, Any], seconds: int) -> str:
    """A token that carries `claims` and works for that long: `payload.mac`, URL-safe."""
    payload = _encode(json.dumps({**claims, "exp": int(time.time()) + seconds}, separators=(",", ":")).encode())
    return f"{payload}.{_encode(_mac(settings.SIGNING_KEY, purpose, payload))}"


def verify(*, purpose: str, token: str) -> dict[str, Any]:
    """The claims of a token; Problem 403 `link_invalid` or `link_expired` where it does not hold."""
    payload, _, mac = token.partition(".")
    try:
        given = _decode(mac)
    except (binascii.Error, ValueError) as error:
        raise Problem("link_invalid", "This link was not made by this service.", status=403) from error
    keys = (settings.SIGNING_KEY, *settings.SIGNING_KEY_PREVIOUS)
    if not any(hmac.compare_digest(given, _mac(key, purpose, payload)) for key in keys):
        raise Problem("link_invalid", "This link was not made by this service.", status=403)
    claims: dict[str, Any] = json.loads(_decode(payload))
    if claims.pop("exp") < time.time():
        raise Problem("link_expired", "This link has expired; ask for a new one.", status=403)
    return claims


def _mac(key: bytes, purpose: str, payload: str) -> bytes:
    return hmac.new(subkey(key, purpose), payload.encode(), hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
