"""Django's view of the storeroom: a Storage whose names are keys and whose every file is in the ledger."""

from __future__ import annotations

import datetime as dt
import mimetypes
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import Storage

from storage_sync import archiving, keys, reading, sharing
from storage_sync.models import StoredFile
from storage_sync.receiving import Intake, receive
from storage_sync.vocabulary import Category


class LedgerStorage(Storage):
    """`save("avatars/face.png", content)` returns the key it was given; that key is the name from then on.

    The first folder of a name chooses the category (exports, where it is none of ours). A file goes on being found by
    its first key while its bytes move. Names never overwrite each other; deleting archives.
    """

    def exists(self, name: str) -> bool:
        """Whether a stored file has this key."""
        return self._find(name) is not None

    def size(self, name: str) -> int:
        """Bytes of the file."""
        return self._get(name).size

    def url(self, name: str | None) -> str:
        """A link that works for LINK_SECONDS."""
        file = self._get(name or "")
        return sharing.link(file, filename=file.name)

    def delete(self, name: str) -> None:
        """Archive the file; one that is not there is fine."""
        file = self._find(name)
        if file is not None:
            archiving.archive(file)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and files directly below a folder of keys."""
        self._refuse_traversal(path)
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        folders: set[str] = set()
        files: list[str] = []
        # For people looking around, not for programs: it goes through the keys of every stored file.
        for key in StoredFile.objects.stored().order_by("key").values_list("key", flat=True).iterator():
            live = keys.live_key(key)
            if live.startswith(prefix):
                first, slash, _ = live[len(prefix) :].partition("/")
                if slash:
                    folders.add(first)
                else:
                    files.append(first)
        return sorted(folders), files

    def get_created_time(self, name: str) -> dt.datetime:
        """When it was stored."""
        file = self._get(name)
        return file.stored_at or file.created_at

    def get_modified_time(self, name: str) -> dt.datetime:
        """When it was stored: files never change."""
        return self.get_created_time(name)

    def get_accessed_time(self, name: str) -> dt.datetime:
        """When it was stored: reads are not written down here."""
        return self.get_created_time(name)

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode not in {"rb", "r"}:
            raise ValueError("A stored file never changes; save a new one.")
        return File(reading.opened(self._get(name)), name=name)

    def _save(self, name: str, content: File[Any]) -> str:
        folder = PurePosixPath(name).parts[0]
        category = folder if folder in Category.values else Category.EXPORTS.value
        guessed = getattr(content, "content_type", None) or mimetypes.guess_type(name)[0]
        # Django may save a file of no bytes, people may not upload one.
        with Intake(category=category, largest=settings.MAX_BODY_BYTES, may_be_empty=True) as intake:
            for chunk in content.chunks():
                intake.write(chunk.encode() if isinstance(chunk, str) else chunk)
            file = receive(
                landed=intake.land(),
                name=PurePosixPath(name).name,
                content_type=guessed or "application/octet-stream",
                extension=name,
                tenant_id=None,
                own=lambda file: None,
            )
        return file.key

    def _find(self, name: str) -> StoredFile | None:
        self._refuse_traversal(name)
        file_id = keys.file_id_of(name)
        if file_id is None:
            return None
        file = StoredFile.objects.stored().filter(pk=file_id).first()
        return file if file is not None and keys.live_key(file.key) == keys.live_key(name) else None

    def _get(self, name: str) -> StoredFile:
        file = self._find(name)
        if file is None:
            raise FileNotFoundError(name)
        return file

    @staticmethod
    def _refuse_traversal(name: str) -> None:
        if name.startswith("/") or "\\" in name or "\x00" in name or ".." in name.split("/"):
            raise SuspiciousFileOperation(f"Not a name of a file: {name[:80]!r}")
