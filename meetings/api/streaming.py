"""Bodies that are streamed straight into the storeroom's intake: raw, or as the one `file` part of a multipart form.

Neither `request.data` nor `request.body` is touched, which would hold a whole recording in memory or spool it to a
temporary file of Django's. Memory is one chunk, whatever the size.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.http import parse_header_parameters
from rest_framework.request import Request

from chatvista.foundation.bodies import PIECE, Body, announced_length
from chatvista.foundation.problems import Problem
from meetings.api.dispositions import clean_name, filename_of
from storage_sync import keys
from storage_sync.arriving.receiving import Intake, Landed

FORM_OVERHEAD_BYTES = 64 * 1024
"""How much boundaries and part headers may add to the file in a form before its length alone says too much."""
TAIL_BYTES = 1024
"""Where the closing boundary of a form is looked for."""
_DIGEST = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]*):\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A body that is here: its bytes on the disk, and what the client called it (empty where it did not)."""

    landed: Landed
    name: str


@contextmanager
def arriving(*, request: Request, category: str, allowance: int | None, is_confidential: bool) -> Iterator[Arrival]:
    """Take the request's body in, sealed if it is confidential; leaving the block removes what was not received.

    Raises:
        Problem: 413 `body_too_large` or `quota_exceeded` and 507 `disk_full` before the first byte where the length is
            announced, else as soon as it is known; 400 `empty_body`, `size_mismatch`, `body_cut_short`,
            `digest_mismatch`, `digest_malformed`, `file_missing`, `too_many_files`, `malformed_body`.
    """
    stream = _Upload(request)
    is_form = stream.media_type == "multipart/form-data"
    announced = stream.announced
    if is_form and announced is not None:
        # The form is a little longer than its file. Beyond that little, nothing needs to be read to refuse it.
        announced = max(0, announced - FORM_OVERHEAD_BYTES)
    intake = Intake(
        category=category,
        largest=settings.MAX_BODY_BYTES,
        allowance=allowance,
        announced_size=announced,
        expected_sha256=_expected_sha256(request),
        is_confidential=is_confidential,
    )
    with intake:
        # What a form announces is only a bound: the file in it is of whatever size it is.
        intake.announced_size = None if is_form else announced
        name = _take_form(stream, intake) if is_form else _take_raw(stream, intake)
        yield Arrival(landed=intake.land(), name=name)


def request_fingerprint(request: Request) -> str:
    """What makes two uploads the same request, from headers alone; a repeated body is compared with what was kept."""
    headers = request.headers
    media_type, _, _ = headers.get("Content-Type", "").partition(";")
    is_form = media_type.strip().lower() == "multipart/form-data"
    # A client that retries a form makes a new boundary, so only what does not depend on it counts.
    parts = [
        media_type.strip().lower(),
        "" if is_form else headers.get("Content-Length", ""),
        headers.get("Content-Disposition", ""),
        request.META.get("QUERY_STRING", ""),
    ]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


class _Upload(Body):
    """The bytes of a request with what its headers say of them; keeps the last few, where a form ends."""

    def __init__(self, request: Request) -> None:
        raw = request._request  # noqa: SLF001  DRF's own stream would load the body
        super().__init__(source=raw, announced=announced_length(request))
        self.headers = request.headers
        self.content_type = request.headers.get("Content-Type", "")
        self.media_type = self.content_type.partition(";")[0].strip().lower()
        self.tail = b""

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, at most `size`; empty at the end."""
        piece = super().read(size)
        self.tail = piece[-TAIL_BYTES:] if len(piece) >= TAIL_BYTES else (self.tail + piece)[-TAIL_BYTES:]
        return piece


def _take_raw(stream: _Upload, intake: Intake) -> str:
    name = filename_of(stream.headers.get("Content-Disposition", ""))
    intake.extension = keys.announced_extension(name=name, content_type=stream.media_type)
    while chunk := stream.read():
        intake.write(chunk)
    return name


def _take_form(stream: _Upload, intake: Intake) -> str:
    handler = _IntoIntake(intake)
    # The parser reads nothing when the length is unknown; any other number only says that there is something.
    meta = {"CONTENT_TYPE": stream.content_type, "CONTENT_LENGTH": str(stream.announced or PIECE)}
    try:
        # Of the stream it calls `read(size)` alone.
        MultiPartParser(meta, cast("IO[bytes]", stream), [handler], "utf-8").parse()
    except MultiPartParserError as error:
        raise Problem("malformed_body", f"The form cannot be read: {error}") from error
    if handler.name is None:
        raise Problem(
            "file_missing", "Send the recording as the form's part `file`, with a filename.",
            fields={"file": ["This part is required."]},
        )  # fmt: skip
    # Django takes the end of the stream for the end of the last part: without this a broken upload would be a
    # shorter recording.
    if _closing_boundary(stream.content_type) not in stream.tail:
        raise Problem("body_cut_short", "The form ends before its closing boundary.")
    return handler.name


def _closing_boundary(content_type: str) -> bytes:
    _, parameters = parse_header_parameters(content_type)
    return b"--" + parameters["boundary"].encode("ascii") + b"--"


class _IntoIntake(FileUploadHandler):
    """Hands the bytes of the one `file` part on as they come."""

    chunk_size = PIECE

    def __init__(self, intake: Intake) -> None:
        super().__init__()
        self._intake = intake
        self.name: str | None = None

    def new_file(self, field_name: str, file_name: str, content_type: str, *args: Any, **kwargs: Any) -> None:
        """Refuse any part but the first `file`."""
        if field_name != "file":
            raise Problem("file_missing", "The recording belongs into the form's part `file`.")
        if self.name is not None:
            raise Problem("too_many_files", "One request takes one recording.")
        self.name = clean_name(file_name)
        self._intake.extension = keys.announced_extension(name=self.name, content_type=content_type or "")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take the bytes; returning nothing keeps them from anybody else."""
        self._intake.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Nothing is left over: the intake has it all."""


def _expected_sha256(request: Request) -> str | None:
    """The sha256 a client vouches for (`Repr-Digest`, RFC 9530), in hexadecimal; other algorithms are ignored.

    The same twice is fine; two different ones cannot both be true.
    """
    found: set[bytes] = set()
    for member in request.headers.get("Repr-Digest", "").split(","):
        if member.partition("=")[0].strip().lower() != "sha-256":
            continue
        match = _DIGEST.fullmatch(member)
        try:
            found.add(base64.b64decode(match[1], validate=True) if match else b"")
        except binascii.Error:
            found.add(b"")
    if len(found) > 1 or any(len(digest) != 32 for digest in found):
        raise Problem("digest_malformed", "Write Repr-Digest as sha-256=:<base64 of 32 bytes>:, once.")
    return found.pop().hex() if found else None
