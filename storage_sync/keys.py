"""The names bytes go by on every side: unique per version, telling no title, no person, nothing a client chose."""

from __future__ import annotations

import datetime as dt
import re
import uuid

ARCHIVE = "archive/"
LONGEST_KEY = 255
LONGEST_NEW_KEY = 100
"""Characters of the longest key that `new_key` makes."""
PUBLIC = "avatars/"
"""What lies below is for everybody who knows its key; archived, it no longer lies there."""
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ANNOUNCED = {
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/webm": "weba",
    "audio/x-flac": "flac",
    "audio/x-m4a": "m4a",
    "audio/x-wav": "wav",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
}
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")


def new_key(*, category: str, file_id: uuid.UUID, extension: str, on: dt.date) -> str:
    """A fresh key, `recordings/2026/11/<file id>/<version id>.<ext>`; every call gives another version id."""
    suffix = f".{extension}" if extension else ""
    return f"{category}/{on:%Y/%m}/{file_id}/{uuid.uuid4().hex}{suffix}"


def sibling_key(key: str) -> str:
    """A fresh key for other bytes of the same file: in the same folder, of the same extension."""
    folder, _, name = key.rpartition("/")
    _, dot, extension = name.partition(".")
    return f"{folder}/{uuid.uuid4().hex}{dot}{extension}"


def archive_key(key: str) -> str:
    """Where the bytes of a live key lie once archived; an archive key is returned as it is."""
    return key if key.startswith(ARCHIVE) else ARCHIVE + key


def live_key(key: str) -> str:
    """Where the bytes of an archived key lived; a live key is returned as it is."""
    return key.removeprefix(ARCHIVE)


def is_public(key: str) -> bool:
    """Whether the object at this key is for everybody."""
    return key.startswith(PUBLIC)


def other_name(key: str) -> str:
    """The name the same bytes have in the archive, or had outside it."""
    return live_key(key) if key.startswith(ARCHIVE) else archive_key(key)


def file_id_of(key: str) -> uuid.UUID | None:
    """The file a key belongs to, or None when it is no key of ours."""
    parts = live_key(key).split("/")
    try:
        return uuid.UUID(parts[3]) if len(parts) == 5 else None
    except ValueError:
        return None


def announced_extension(*, name: str, content_type: str) -> str:
    """The extension for a key that must exist before its bytes do: from what a client says of them, or "".

    It shows in the key alone, tells nothing else than what kind of sound or picture it is said to be, and is believed
    by nobody.
    """
    named = clean_extension(name) if "." in name else ""
    if named in _ANNOUNCED.values():
        return named
    return _ANNOUNCED.get(content_type.partition(";")[0].strip().lower(), "")


def clean_extension(text: str) -> str:
    """A short extension without its dot, or "" where the text holds anything but ten letters and digits."""
    found = text.rpartition(".")[2].strip().lower()
    return found if _EXTENSION.fullmatch(found) else ""


def require_safe(key: str) -> str:
    """The key itself; ValueError when it could lead out of a side or hide in it (dots first, backslashes, NUL)."""
    if len(key) > LONGEST_KEY or not all(_SEGMENT.fullmatch(part) for part in key.split("/")):
        raise ValueError(f"not a key: {key[:80]!r}")
    return key
