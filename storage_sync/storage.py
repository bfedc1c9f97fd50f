"""Django's view of the storeroom: a Storage whose names are keys and whose every file is in the ledger."""

from __future__ import annotations

import datetime as dt
import io
import mimetypes
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

from storage_sync import keys, listing
from storage_sync.arriving.receiving import Intake, receive
from storage_sync.giving import reading, sharing
from storage_sync.models import StoredFile
from storage_sync.retaining import archiving
from storage_sync.vocabulary import Category

if TYPE_CHECKING:
    _AnyFile = File[Any]
else:
    _AnyFile = File  # has parameters for those who check types only


class KeptFile(_AnyFile):
    """A file opened for reading; once closed it can be opened again."""

    def __init__(self, storage: LedgerStorage, name: str, mode: str) -> None:
        super().__init__(storage.read_from(name, mode), name=name)
        self.mode = mode
        self._storage = storage

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> Self:
        """From its beginning again."""
        if self.closed or mode not in {None, self.mode}:
            self.close()
            self.mode = mode or self.mode
            self.file = self._storage.read_from(self.name or "", self.mode)
        self.seek(0)
        return self


@deconstructible
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
        """A link that works for LINK_SECONDS; the lasting one of what is public."""
        file = self._get(name or "")
        return sharing.public_url(file) if sharing.is_public(file) else sharing.link(file, filename=file.name)

    def delete(self, name: str) -> None:
        """Archive the file; one that is not there is fine."""
        if not name:
            raise ValueError("The name of what is to be deleted must be given.")
        file = self._find(name)
        if file is not None:
            archiving.archive(file)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and files directly below a folder of keys; nothing for a folder that is not there."""
        self._refuse_traversal(path)
        return listing.children(PurePosixPath(path).parts)

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

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: every save makes a key of its own, so nothing collides. Its key must fit, however."""
        name = str(name).replace("\\", "/")
        self._refuse_traversal(name)
        if max_length is not None and max_length < keys.LONGEST_NEW_KEY:
            needed = f"Names here have up to {keys.LONGEST_NEW_KEY} characters; give the field that max_length."
            raise SuspiciousFileOperation(f"Storage can not find an available filename for {name[:80]!r}. {needed}")
        return name

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        return KeptFile(self, name, mode)

    def read_from(self, name: str, mode: str) -> IO[Any]:
        """The bytes of a file, or its text as UTF-8 for modes without a `b`; ValueError for modes that write."""
        if mode not in {"rb", "r", "rt"}:
            raise ValueError("A stored file never changes; save a new one.")
        source = reading.opened(self._get(name))
        return source if mode == "rb" else io.TextIOWrapper(source, encoding="utf-8")

    def _save(self, name: str, content: File[Any]) -> str:
        # Outside any transaction (RuntimeError otherwise): what is acknowledged here can no longer be rolled back.
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
