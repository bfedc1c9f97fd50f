"""The headers of tus 1.0.0: what may be said in them, and what a client said."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from chatvista.foundation.problems import Problem
from storage_sync.uploading.taking import CHECKSUMS

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
CHUNK_TYPE = "application/offset+octet-stream"
ALGORITHMS = ",".join(CHECKSUMS)
LONGEST_METADATA = 8192
_NUMBER = re.compile(r"[0-9]{1,30}")
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _header(name: str, description: str, *, required: bool = False, kind: Any = OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=description, required=required)


TUS_RESUMABLE = _header("Tus-Resumable", "1.0.0; 412 `tus_version_not_supported` otherwise.", required=True)
UPLOAD_LENGTH = _header("Upload-Length", "All bytes of the file.", required=True, kind=OpenApiTypes.INT64)
UPLOAD_METADATA = _header(
    "Upload-Metadata",
    "Pairs of a key and a base64 value, separated by commas: meeting (required), filename, filetype, participant, "
    "transcribe (false keeps it as it is), sha256 (of the whole file, in hexadecimal).",
    required=True,
)
UPLOAD_OFFSET = _header(
    "Upload-Offset", "Where the upload stands; 409 otherwise.", required=True, kind=OpenApiTypes.INT64
)
UPLOAD_CHECKSUM = _header(
    "Upload-Checksum", f"Algorithm ({ALGORITHMS}) and base64 digest of this chunk; 460 on mismatch."
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a client says of its file. `written` is how it said it."""

    written: str
    values: dict[str, str]

    def get(self, *names: str) -> str:
        """The first of these that says something; null is how some clients write nothing."""
        return next((self.values[name] for name in names if self.values.get(name) not in {None, "", "null"}), "")

    @property
    def declared_sha256(self) -> str:
        """The sha256 it vouches for, or ""; Problem 400 `digest_malformed`."""
        said = self.get("sha256").lower()
        if said and not _SHA256.fullmatch(said):
            raise Problem("digest_malformed", "Write sha256 as 64 hexadecimal digits.")
        return said


def metadata_of(request: Request) -> Metadata:
    """Upload-Metadata; Problem 400 `upload_metadata_malformed`."""
    written = request.headers.get("Upload-Metadata", "")
    values: dict[str, str] = {}
    if len(written) > LONGEST_METADATA:
        raise _malformed(f"It takes {LONGEST_METADATA} bytes.")
    for pair in filter(None, (pair.strip() for pair in written.split(","))):
        key, _, encoded = pair.partition(" ")
        if not _KEY.fullmatch(key) or key in values:
            raise _malformed("Each key is given once, in ASCII.")
        try:
            value = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise _malformed(f"The value of {key} is not base64 of UTF-8.") from error
        if "\x00" in value:
            raise _malformed(f"The value of {key} holds a NUL byte.")
        values[key] = value
    return Metadata(written, values)


def length_of(request: Request) -> int:
    """Upload-Length; Problem 400 `upload_length_required`, `empty_body`, `concatenation_not_supported`."""
    if request.headers.get("Upload-Concat"):
        raise Problem("concatenation_not_supported", "Uploads are not put together from others: parallelUploads is 1.")
    written = request.headers.get("Upload-Length", "")
    if not _NUMBER.fullmatch(written):
        detail = "Say the number of bytes in Upload-Length when the upload begins; Upload-Defer-Length is not offered."
        raise Problem("upload_length_required", detail)
    if int(written) == 0:
        raise Problem("empty_body", "There are no bytes to keep.")
    return int(written)


def offset_of(request: Request) -> int:
    """Upload-Offset; Problem 400 `upload_offset_malformed`."""
    written = request.headers.get("Upload-Offset", "")
    if not _NUMBER.fullmatch(written):
        raise Problem("upload_offset_malformed", "Say in Upload-Offset where the chunk begins.")
    return int(written)


def is_chunk(request: Request) -> bool:
    """Whether the body is a chunk, by its type."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == CHUNK_TYPE


def fingerprint_of(request: Request) -> str:
    """What makes two beginnings the same; metadata is compared as it was written."""
    said = [request.headers.get(name, "") for name in ("Upload-Length", "Upload-Metadata", "Content-Length")]
    return hashlib.sha256("\n".join(re.sub(r"\s+", " ", part) for part in said).encode("utf-8", "replace")).hexdigest()


def _malformed(detail: str) -> Problem:
    return Problem("upload_metadata_malformed", f"Upload-Metadata cannot be read. {detail}")
