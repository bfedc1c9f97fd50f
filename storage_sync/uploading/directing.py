"""Uploads that go past us: the client sends parts straight to the Space, by links we sign, and says when it is done.

What it says counts for nothing by itself: the Space's own list of parts is compared with it before anything is put
together (some S3 servers forget an upload whose completion they refuse), and every byte is read afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from django.conf import settings

from chatvista.foundation.problems import Problem, WorkError
from storage_sync.models import Upload, UploadState
from storage_sync.sides.cloud import cloud
from storage_sync.sides.multiparts import MOST_PARTS, SMALLEST_PART, Multipart, Part, UploadGoneError
from storage_sync.uploading import finishing, holding

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the client says of one part."""

    number: int
    etag: str


def sent_parts(upload: Upload) -> list[Part]:
    """What the Space has by now. Problem 410 `upload_gone`, 503 `storage_unavailable`."""
    _require_open(upload)
    try:
        return list(_multipart(upload).parts())
    except UploadGoneError as error:
        raise Problem("upload_gone", error.detail, status=410) from error
    except WorkError as error:
        raise away() from error


def link(upload: Upload, number: int) -> str:
    """Where to PUT a part. Problem 400 `part_number_invalid`, 410 `upload_gone`."""
    _require_open(upload)
    if not 1 <= number <= MOST_PARTS:
        raise Problem("part_number_invalid", f"Parts are numbered from 1 to {MOST_PARTS}.")
    return _multipart(upload).link(number=number, seconds=settings.LINK_SECONDS)


def complete(upload: Upload, claimed: Iterable[Claimed]) -> Upload:
    """Put the parts together and make a stored file of them; twice gives the same.

    Must be called outside any transaction. Raises Problem 400 `parts_differ` or `parts_malformed` (the upload stays
    open), 410, 413, 423, 503, and what finishing raises.
    """
    if upload.state in {UploadState.FINISHING, UploadState.FINISHED}:
        return finishing.resume(upload)
    _require_open(upload)
    hold = holding.hold(upload_id=upload.pk, state=UploadState.OPEN)
    try:
        parts = _checked(sent_parts(hold.upload), list(claimed))
        size = sum(part.size for part in parts)
        if size > settings.LARGEST_UPLOAD_BYTES:
            detail = f"At most {settings.LARGEST_UPLOAD_BYTES} bytes are taken."
            raise finishing.fail(hold, Problem("body_too_large", detail, status=413))
        if hold.upload.size not in {0, size}:
            raise Problem("parts_differ", f"{hold.upload.size} bytes were announced, the parts have {size}.")
        kept = [{"number": part.number, "size": part.size, "etag": part.etag, "md5": part.etag} for part in parts]
        hold.write(parts=kept, size=size, offset=size, state=UploadState.FINISHING)
        return finishing.finish(hold)
    finally:
        hold.let_go()


def _checked(parts: Sequence[Part], claimed: list[Claimed]) -> list[Part]:
    if not parts:
        raise Problem("empty_body", "There are no bytes to keep.")
    said = {part.number: part.etag.strip('"').lower() for part in claimed}
    if len(said) != len(claimed) or said != {part.number: part.etag for part in parts}:
        raise Problem("parts_differ", f"The Space has the parts {_named(parts)}; send what lacks, and list them all.")
    if [part.number for part in parts] != list(range(1, len(parts) + 1)):
        raise Problem("parts_malformed", "Number the parts 1, 2, 3, ... without a gap.")
    if any(part.size < SMALLEST_PART for part in parts[:-1]):
        raise Problem("parts_malformed", f"Every part but the last has at least {SMALLEST_PART} bytes.")
    return list(parts)


def _named(parts: Sequence[Part]) -> str:
    shown = ", ".join(str(part.number) for part in parts[:20])
    return f"{shown} and {len(parts) - 20} more" if len(parts) > 20 else shown


def _require_open(upload: Upload) -> None:
    if upload.state in {UploadState.TERMINATED, UploadState.FAILED} or upload.is_expired:
        raise holding.gone(upload)
    if upload.state != UploadState.OPEN or not upload.multipart_id:
        raise Problem("upload_finished", "This upload takes no more parts.", status=409)


def _multipart(upload: Upload) -> Multipart:
    side = cloud()
    if side is None:
        raise Problem("direct_uploads_need_a_space", "There is no Space to upload to.", status=409)
    return Multipart(side, upload.key, upload.multipart_id)


def away() -> Problem:
    """The answer while the Space cannot be reached."""
    return Problem("storage_unavailable", "The Space cannot be reached; try again.", status=503, retry_after=5)
