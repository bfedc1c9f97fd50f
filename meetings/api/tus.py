"""/uploads: tus 1.0.0 (https://tus.io/protocols/resumable-upload), for recordings of any length over any line."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import AccessTokenAuthentication
from accounts.models import Session
from accounts.people import person
from chatvista.foundation.bodies import Body, announced_length
from chatvista.foundation.idempotency import claimed_id, idempotent
from chatvista.foundation.problems import Problem
from meetings import uploading
from meetings.api import tus_headers as tus
from meetings.api.destinations import destination_of
from meetings.api.headers import IDEMPOTENCY_KEY
from meetings.api.shapes.upload import UploadSerializer
from meetings.api.upload_tokens import UploadTokenAuthentication
from storage_sync.models import Upload, UploadKind, UploadState
from storage_sync.uploading import ending, finishing, holding, tokens
from storage_sync.uploading.taking import Checksum, take_chunk

# A client that says nothing for so long has gone; what it had sent is kept.
SILENCE_SECONDS = 25.0
_OVERRIDDEN = {"PATCH", "DELETE", "HEAD"}
_CHUNK = {tus.CHUNK_TYPE: OpenApiTypes.BINARY}


class TusView(APIView):
    """What every address of the protocol answers alike."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Serve X-HTTP-Method-Override as the method it names, as the protocol wants it."""
        wanted = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and wanted in _OVERRIDDEN:
            request.method = wanted
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse other versions before anything else is looked at."""
        if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
            raise Problem("tus_version_not_supported", f"Send Tus-Resumable: {tus.VERSION}.", status=412)
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Name the version in every answer."""
        response["Tus-Resumable"] = tus.VERSION
        response["Cache-Control"] = "no-store"
        if response.status_code == status.HTTP_412_PRECONDITION_FAILED:
            response["Tus-Version"] = tus.VERSION
        return super().finalize_response(request, response, *args, **kwargs)

    def get_permissions(self) -> Any:
        """Anybody may ask what is offered."""
        return [AllowAny()] if self.request.method == "OPTIONS" else super().get_permissions()

    @extend_schema(exclude=True)
    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Version, extensions, sizes."""
        response = Response(status=status.HTTP_204_NO_CONTENT)
        response["Tus-Version"] = tus.VERSION
        response["Tus-Extension"] = tus.EXTENSIONS
        response["Tus-Max-Size"] = str(settings.LARGEST_UPLOAD_BYTES)
        response["Tus-Checksum-Algorithm"] = tus.ALGORITHMS
        response["X-ChatVista-Chunk-Bytes"] = str(settings.UPLOAD_CHUNK_BYTES)
        return response


class UploadsView(TusView):
    """Beginning uploads."""

    @extend_schema(
        request=_CHUNK,
        responses={201: UploadSerializer},
        parameters=[tus.TUS_RESUMABLE, tus.UPLOAD_LENGTH, tus.UPLOAD_METADATA, tus.UPLOAD_CHECKSUM, IDEMPOTENCY_KEY],
        operation_id="upload_begin",
    )
    @idempotent(fingerprint=tus.fingerprint_of)
    def post(self, request: Request) -> Response:
        """Begin an upload, with its first chunk as the body if there is one. `Location` is where to go on.

        It carries a token of its own, which works for as long as the upload lives. Chunks of X-ChatVista-Chunk-Bytes
        are taken with the least effort.
        """
        upload = _begun(request)
        if tus.is_chunk(request) and upload.state == UploadState.OPEN and upload.offset == 0:
            with _impatient(request) as body:
                upload = take_chunk(upload_id=upload.pk, offset=0, body=body, checksum=_checksum(request))
        session = request.auth.pk if isinstance(request.auth, Session) else None
        token = tokens.sign(upload=upload, session_id=session)
        response = Response(UploadSerializer(upload).data, status=status.HTTP_201_CREATED)
        response["Location"] = f"/api/v1/uploads/{upload.pk}?{urlencode({'token': token})}"
        response["X-ChatVista-Chunk-Bytes"] = str(settings.UPLOAD_CHUNK_BYTES)
        return _described(response, upload)


class UploadView(TusView):
    """One upload."""

    authentication_classes = [UploadTokenAuthentication, AccessTokenAuthentication]
    http_method_names = ["head", "patch", "delete", "options"]

    @extend_schema(responses={200: None}, parameters=[tus.TUS_RESUMABLE], operation_id="upload_read")
    def head(self, request: Request, upload_id: uuid.UUID) -> Response:
        """Where the upload stands; one that has all its bytes and was left unfinished is finished now."""
        upload = _found(request, upload_id)
        try:
            upload = finishing.resume(upload)
        except Problem as problem:
            # Clients take any other failure here for the end of the upload, and begin a new one.
            if problem.status >= 500:
                raise Problem("upload_locked", problem.detail, status=423, retry_after=5) from problem
            raise
        _require_alive(upload)
        response = _described(Response(status=status.HTTP_200_OK), upload)
        response["Upload-Length"] = str(upload.size)
        if upload.params.get("metadata"):
            response["Upload-Metadata"] = upload.params["metadata"]
        return response

    @extend_schema(
        request=_CHUNK,
        responses={204: None},
        parameters=[tus.TUS_RESUMABLE, tus.UPLOAD_OFFSET, tus.UPLOAD_CHECKSUM],
        operation_id="upload_continue",
    )
    def patch(self, request: Request, upload_id: uuid.UUID) -> Response:
        """Take a chunk. Fewer bytes than were sent may have been taken (after a minute): Upload-Offset says how many.

        The last one is answered when the recording is stored; X-ChatVista-Recording is its id.
        """
        if not tus.is_chunk(request):
            raise Problem("unsupported_media_type", f"Send chunks as {tus.CHUNK_TYPE}.", status=415)
        offset, checksum = tus.offset_of(request), _checksum(request)
        upload = _found(request, upload_id)
        _require_alive(upload)
        if upload.state != UploadState.OPEN and offset == upload.size:
            upload = finishing.resume(upload)
        elif upload.state == UploadState.FINISHED:
            raise Problem("upload_offset_conflict", f"The upload stands at byte {upload.offset}.", status=409)
        else:
            with _impatient(request) as body:
                upload = take_chunk(upload_id=upload.pk, offset=offset, body=body, checksum=checksum)
        return _described(Response(status=status.HTTP_204_NO_CONTENT), upload)

    @extend_schema(
        responses={204: None}, parameters=[tus.TUS_RESUMABLE], operation_id="upload_end"
    )  # fmt: skip
    def delete(self, request: Request, upload_id: uuid.UUID) -> Response:
        """End an upload; what has come of it is removed."""
        ending.terminate(_found(request, upload_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _begun(request: Request) -> Upload:
    size, metadata = tus.length_of(request), tus.metadata_of(request)
    if size > settings.LARGEST_UPLOAD_BYTES:
        raise Problem("body_too_large", f"At most {settings.LARGEST_UPLOAD_BYTES} bytes are taken.", status=413)
    return uploading.begin(
        user=person(request),
        kind=UploadKind.CHUNKS,
        size=size,
        metadata=metadata.written,
        upload_id=claimed_id(request),
        declared_sha256=metadata.declared_sha256,
        **destination_of(request, metadata.get),
    )


def _found(request: Request, upload_id: uuid.UUID) -> Upload:
    upload = Upload.objects.filter(pk=upload_id, kind=UploadKind.CHUNKS, owner_id=person(request).pk).first()
    if upload is None:
        raise Http404
    return upload


def _require_alive(upload: Upload) -> None:
    if upload.state in {UploadState.TERMINATED, UploadState.FAILED}:
        raise holding.gone(upload)
    if upload.is_expired:
        raise Problem("upload_gone", "This upload has expired; begin it anew.", status=410)


def _described(response: Response, upload: Upload) -> Response:
    response["Upload-Offset"] = str(upload.offset)
    if upload.state == UploadState.OPEN:
        response["Upload-Expires"] = format_datetime(upload.expires_at, usegmt=True)
    recording = uploading.recording_of(upload)
    if recording is not None:
        response["X-ChatVista-Recording"] = str(recording.pk)
    return response


def _checksum(request: Request) -> Checksum | None:
    written = request.headers.get("Upload-Checksum")
    return Checksum.of_header(written) if written is not None else None


@contextmanager
def _impatient(request: Request) -> Iterator[Body]:
    """The body, whose connection breaks when the client falls silent."""
    connection = request.META.get("gunicorn.socket")
    before = connection.gettimeout() if connection is not None else None
    try:
        if connection is not None:
            connection.settimeout(SILENCE_SECONDS)
        yield Body(source=request._request, announced=announced_length(request))  # noqa: SLF001  DRF's would load it
    finally:
        if connection is not None:
            connection.settimeout(before)
