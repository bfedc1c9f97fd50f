"""What the tests of the storeroom are made of: files received for real, and sides that fail on demand."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from storage_sync.arriving.receiving import Intake, Landed, receive_bytes
from storage_sync.models import StoredFile
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.local import local

WORDS = b"Ask not what your country can do for you. " * 50


def nobody(file: StoredFile) -> None:
    """Owns a file without a row."""


def store(data: bytes = WORDS, **wanted: Any) -> StoredFile:
    """A stored file."""
    given: dict[str, Any] = {
        "data": data,
        "category": "recordings",
        "name": "Ünterredung №1.flac",
        "content_type": "audio/flac",
        "extension": "flac",
        "tenant_id": uuid.uuid4(),
        "own": nobody,
        **wanted,
    }
    return receive_bytes(**given)


def take_in(*chunks: bytes, **wanted: Any) -> Landed:
    """What an intake makes of these chunks; gone when this returns."""
    with Intake(category="recordings", **wanted) as intake:
        for chunk in chunks:
            intake.write(chunk)
        return intake.land()


def land(data: bytes = WORDS) -> Landed:
    """Bytes in temp/, as an intake leaves them."""
    intake = Intake(category="recordings", largest=len(data))
    intake.open()
    intake.write(data)
    return intake.land()


def space() -> CloudSide:
    """The cloud side, which the tests always have."""
    side = cloud()
    assert side is not None
    return side


def on_disk(file: StoredFile) -> Path:
    """Where the local copy lies or would lie."""
    return local().path(file.key)


def names_below(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def overwrite(path: Path, data: bytes) -> None:
    """Change bytes behind the ledger's back."""
    path.chmod(0o644)
    path.write_bytes(data)


def flip_a_bit(data: bytes, at: int = 7) -> bytes:
    """The same, but for one bit."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def put_in_cloud(key: str, data: bytes) -> None:
    """An object behind the ledger's back, over what was there."""
    side = space()
    side.client.put_object(Bucket=side.space.bucket, Key=key, Body=data)


def state_of_copies(file: StoredFile) -> dict[str, str]:
    """{side: state} of a file's copies."""
    return {copy.side: copy.state for copy in file.copies.all()}
