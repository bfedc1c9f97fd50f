"""The ledger: files, their copies, uploads under way, and what is known about the sides that hold them."""

from storage_sync.models.block_digests import BlockDigests
from storage_sync.models.copy import Copy
from storage_sync.models.inspection import Canary, Inspection, InspectionKind, UnknownObject
from storage_sync.models.node import Node
from storage_sync.models.remnant import Remnant
from storage_sync.models.retention import Deletion, LegalHold, RetentionPolicy
from storage_sync.models.stored_file import StoredFile
from storage_sync.models.upload import Upload, UploadKind, UploadState

__all__ = [
    "BlockDigests",
    "Canary",
    "Copy",
    "Deletion",
    "Inspection",
    "InspectionKind",
    "LegalHold",
    "Node",
    "Remnant",
    "RetentionPolicy",
    "StoredFile",
    "UnknownObject",
    "Upload",
    "UploadKind",
    "UploadState",
]
