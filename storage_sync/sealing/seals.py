"""The seal of a file: its own random key, how that key is kept in the ledger, and what seals and opens with it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from chatvista.foundation import master_keys
from chatvista.foundation.ciphers import Opener, SealBrokenError, Sealer
from chatvista.foundation.master_keys import WrappedKey
from chatvista.foundation.unsealed import unsealed
from storage_sync.fingerprints import Fingerprint
from storage_sync.models import StoredFile

PURPOSE = "files"


@dataclass(frozen=True, slots=True)
class Seal:
    """The key of one file. The file's id is authenticated with every frame: frames of another file do not open."""

    file_id: uuid.UUID
    key: bytes = field(repr=False)
    wrapped: WrappedKey

    def sealer(self) -> Sealer:
        """What seals the file's bytes."""
        return Sealer(key=self.key, context=self.file_id.bytes)

    def opener(self, *, sealed_size: int) -> Opener:
        """What opens them. Raises SealBrokenError for a size that nothing sealed has."""
        return Opener(key=self.key, context=self.file_id.bytes, sealed_size=sealed_size)

    def unsealed(self, source: BinaryIO, *, sealed_size: int) -> BinaryIO:
        """The plaintext of a seekable source, itself seekable; closing it closes the source."""
        return unsealed(source, key=self.key, context=self.file_id.bytes, sealed_size=sealed_size)

    def columns(self, held: Fingerprint) -> dict[str, Any]:
        """What the row of the file says of its seal; `held` is the fingerprint of the sealed bytes."""
        return {
            "sealed_key": self.wrapped.wrapped,
            "seal_key_id": self.wrapped.key_id,
            "sealed_size": held.size,
            "sealed_sha256": held.sha256,
        }


class Sealing:
    """A body sealed as it streams by: takes what people send, gives what may be written, knows what both were."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._sealer = seal.sealer()

    @property
    def sha256(self) -> str:
        """Of the plaintext taken so far, in hexadecimal."""
        return self._sha256.hexdigest()

    def take(self, chunk: bytes | memoryview) -> bytes:
        """The next bytes of the plaintext; gives the sealed ones that are ready."""
        self.size += len(chunk)
        self._sha256.update(chunk)
        return self._sealer.seal(chunk)

    def finish(self) -> bytes:
        """The last sealed bytes."""
        return self._sealer.finish()


NO_SEAL: dict[str, Any] = {"sealed_key": None, "seal_key_id": "", "sealed_size": None, "sealed_sha256": None}
"""What the row of a file says that is not sealed."""


def new_seal(file_id: uuid.UUID) -> Seal:
    """A fresh key for a file, wrapped under the current master key."""
    key = master_keys.new_key()
    return Seal(file_id, key, master_keys.wrap(purpose=PURPOSE, key=key, context=file_id.bytes))


def kept_seal(*, file_id: uuid.UUID, sealed_key: bytes | memoryview, key_id: str) -> Seal:
    """The seal of which the ledger has the wrapped key.

    Raises PermanentError: `encryption_key_unknown`, `encryption_key_damaged`.
    """
    wrapped = WrappedKey(key_id=key_id, wrapped=bytes(sealed_key))
    key = master_keys.unwrap(purpose=PURPOSE, wrapped=wrapped, context=file_id.bytes)
    return Seal(file_id, key, wrapped)


def seal_of(file: StoredFile) -> Seal | None:
    """The seal of a file; None for one that is not sealed. Raises PermanentError as `kept_seal` does."""
    if file.sealed_key is None:
        return None
    return kept_seal(file_id=file.pk, sealed_key=file.sealed_key, key_id=file.seal_key_id)


def opened_stream(seal: Seal, chunks: Iterator[bytes], *, sealed_size: int) -> Iterator[bytes]:
    """The plaintext of all the sealed bytes, which come in chunks. Raises SealBrokenError."""
    opener = seal.opener(sealed_size=sealed_size)
    return opener.stream(chunks, opener.window(0))


__all__ = ["NO_SEAL", "Seal", "SealBrokenError", "Sealing", "kept_seal", "new_seal", "opened_stream", "seal_of"]
