"""The ledger: files and their copies."""

from storage_sync.models.copy import Copy
from storage_sync.models.stored_file import StoredFile

__all__ = ["Copy", "StoredFile"]
