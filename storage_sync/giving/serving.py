"""A file as an HTTP answer: whole or in part, conditional, never mistaken by a browser for a page of ours."""

from __future__ import annotations

import base64

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from rest_framework.request import Request

from chatvista.foundation import envelope
from chatvista.foundation.problems import Problem
from storage_sync.damage.healing import SpaceAwayProblem
from storage_sync.giving import reading
from storage_sync.giving.dispositions import content_disposition
from storage_sync.giving.ranges import ByteRange, UnsatisfiableError, asked_range, is_same
from storage_sync.models import StoredFile
from storage_sync.vocabulary import FileState


def respond(
    request: HttpRequest | Request, file: StoredFile, *, filename: str, inline: bool = False
) -> HttpResponseBase:
    """200, 206, 304 or 416 for GET and HEAD of a file. Who may have it was asked before.

    Raises Problem 412 `precondition_failed`, and what reading raises (404, 410, 503).
    """
    if file.state == FileState.LOST:
        reading.local_path(file)
    reading.require_readable(file)
    early = _unless_needed(request, file)
    if early is not None:
        return _dressed(early, file)
    try:
        part = _wanted_part(request, file)
    except UnsatisfiableError:
        refusal = envelope.answer(
            Problem("range_not_satisfiable", f"The file has {file.size} bytes.", status=416)
        )  # fmt: skip
        refusal["Content-Range"] = f"bytes */{file.size}"
        refusal["Accept-Ranges"] = "bytes"
        return refusal
    if request.method == "HEAD":
        answer: HttpResponseBase = HttpResponse()
        answer["Content-Length"] = str(file.size)
    elif part is not None:
        answer = StreamingHttpResponse(reading.stream(file, start=part.start, length=part.length), status=206)
        answer["Content-Range"] = part.content_range
        answer["Content-Length"] = str(part.length)
    else:
        answer = _whole(file)
    answer["Content-Type"] = file.content_type
    answer["Content-Disposition"] = content_disposition(
        filename=filename, inline=inline, content_type=file.content_type
    )  # fmt: skip
    # Were the kind ever wrong or hostile: it may load nothing, run nothing and post nowhere.
    answer["Content-Security-Policy"] = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
    return _dressed(answer, file)


def _whole(file: StoredFile) -> HttpResponseBase:
    """From the disk by FileResponse, whose bytes a WSGI server may send without reading them; else streamed."""
    try:
        source = reading.opened_here(file)
    except Problem as error:
        if error.status not in {503, 507} or isinstance(error, SpaceAwayProblem):
            raise
        answer: HttpResponseBase = StreamingHttpResponse(reading.stream(file))
        answer["Content-Length"] = str(file.size)
        return answer
    answer = FileResponse(source)
    answer["Content-Length"] = str(file.size)
    return answer


def _etag(file: StoredFile) -> str:
    return f'"{file.sha256}"' if file.sha256 else f'"{file.pk}"'


def _last_modified(file: StoredFile) -> int:
    return int((file.stored_at or file.created_at).timestamp())


def _unless_needed(request: HttpRequest | Request, file: StoredFile) -> HttpResponseBase | None:
    """304 where the client has it already. The bytes of a file never change, so nothing needs to be read."""
    early: HttpResponseBase | None = get_conditional_response(
        request, etag=_etag(file), last_modified=_last_modified(file)
    )
    if early is not None and early.status_code == 412:
        raise Problem("precondition_failed", "The file is not the one you name.", status=412)
    return early


def _wanted_part(request: HttpRequest | Request, file: StoredFile) -> ByteRange | None:
    header = request.headers.get("Range", "")
    if not header or request.method != "GET":
        return None
    condition = request.headers.get("If-Range", "").strip()
    if condition and not is_same(condition=condition, etag=_etag(file), last_modified=_last_modified(file)):
        return None
    return asked_range(header=header, size=file.size)


def _dressed(answer: HttpResponseBase, file: StoredFile) -> HttpResponseBase:
    answer["ETag"] = _etag(file)
    answer["Last-Modified"] = http_date(_last_modified(file))
    answer["Accept-Ranges"] = "bytes"
    # Asked again every time, so that a permission taken away works at once; a 304 costs next to nothing.
    answer["Cache-Control"] = "private, no-store" if file.is_confidential else "private, no-cache"
    answer["X-Content-Type-Options"] = "nosniff"
    if file.sha256:
        # Of the whole file, also where a part is sent (RFC 9530): who has put the parts together can compare.
        answer["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode()}:"
    return answer
