"""/s3/multipart: uploads straight to the Space, in the shape of Uppy's @uppy/aws-s3 and its Companion."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from chatvista.foundation.idempotency import body_print, claimed_id, idempotent
from chatvista.foundation.problems import Problem, WorkError
from meetings import uploading
from meetings.api.destinations import destination_of
from meetings.api.headers import IDEMPOTENCY_KEY
from meetings.api.shapes.multipart import (
    BeginMultipartSerializer,
    BegunMultipartSerializer,
    CompletedMultipartSerializer,
    CompleteMultipartSerializer,
    SentPartSerializer,
    SignedPartSerializer,
    SignedPartsSerializer,
)
from meetings.api.tus_headers import Metadata
from storage_sync.models import Upload, UploadKind
from storage_sync.uploading import beginning, directing, ending
from storage_sync.uploading.directing import Claimed

_KEY = OpenApiParameter("key", str, required=True, description="As the upload's beginning has answered.")
_NUMBERS = OpenApiParameter("partNumbers", str, required=True, description="Numbers, separated by commas.")
MOST_AT_ONCE = 1000


class MultipartsView(APIView):
    """Beginning."""

    @extend_schema(
        request=BeginMultipartSerializer,
        responses=BegunMultipartSerializer,
        parameters=[IDEMPOTENCY_KEY],
        operation_id="multipart_begin",
    )
    # Not in one transaction with its answer: no row stays locked while the Space is asked.
    @idempotent(fingerprint=body_print)
    def post(self, request: Request) -> Response:
        """Begin an upload straight to the Space. Not for confidential meetings, and not where there is no Space."""
        asked = BeginMultipartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = {name: _text(value) for name, value in asked.validated_data["metadata"].items()}
        said |= {"filename": asked.validated_data["filename"], "filetype": asked.validated_data["type"] or ""}
        metadata = Metadata("", said)
        upload = uploading.begin(
            user=person(request),
            kind=UploadKind.DIRECT,
            size=_size(metadata.get("size")),
            declared_sha256=metadata.declared_sha256,
            upload_id=claimed_id(request),
            **destination_of(request, metadata.get),
        )
        try:
            if not upload.multipart_id:
                beginning.open_at_the_space(upload)
        except WorkError as error:
            beginning.forget_unopened(upload)
            raise directing.away() from error
        return Response(BegunMultipartSerializer({"key": upload.key, "uploadId": upload.pk}).data)


class MultipartView(APIView):
    """One upload."""

    @extend_schema(responses=SentPartSerializer(many=True), parameters=[_KEY], operation_id="multipart_parts")
    def get(self, request: Request, upload_id: uuid.UUID) -> Response:
        """The parts that the Space has; what a client that goes on need not send again."""
        return Response(SentPartSerializer(directing.sent_parts(_found(request, upload_id)), many=True).data)

    @extend_schema(responses={200: OpenApiTypes.OBJECT}, parameters=[_KEY], operation_id="multipart_end")
    def delete(self, request: Request, upload_id: uuid.UUID) -> Response:
        """End the upload; its parts are removed."""
        ending.terminate(_found(request, upload_id))
        return Response({})


class MultipartPartView(APIView):
    """One part."""

    @extend_schema(responses=SignedPartSerializer, parameters=[_KEY], operation_id="multipart_sign")
    def get(self, request: Request, upload_id: uuid.UUID, number: int) -> Response:
        """Where to PUT the part: 5 MiB at least, but for the last one."""
        url = directing.link(_found(request, upload_id), number)
        return Response({"method": "PUT", "url": url, "expires": settings.LINK_SECONDS})


class MultipartBatchView(APIView):
    """Several parts."""

    @extend_schema(responses=SignedPartsSerializer, parameters=[_KEY, _NUMBERS], operation_id="multipart_sign_batch")
    def get(self, request: Request, upload_id: uuid.UUID) -> Response:
        """Where to PUT each of several parts."""
        written = request.query_params.get("partNumbers", "").split(",")
        if len(written) > MOST_AT_ONCE or not all(number.isascii() and number.isdigit() for number in written):
            raise Problem("part_number_invalid", f"Give up to {MOST_AT_ONCE} numbers, separated by commas.")
        upload = _found(request, upload_id)
        urls = {number: directing.link(upload, int(number[:6])) for number in written}
        return Response({"presignedUrls": urls, "expires": settings.LINK_SECONDS})


class MultipartCompleteView(APIView):
    """Finishing."""

    @extend_schema(
        request=CompleteMultipartSerializer,
        responses=CompletedMultipartSerializer,
        parameters=[_KEY],
        operation_id="multipart_complete",
    )
    def post(self, request: Request, upload_id: uuid.UUID) -> Response:
        """Make a recording of the parts, which must be those the Space has. Twice gives the same answer."""
        asked = CompleteMultipartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        claimed = [Claimed(part["PartNumber"], part["ETag"]) for part in asked.validated_data["parts"]]
        upload = directing.complete(_found(request, upload_id), claimed)
        recording = uploading.recording_of(upload)
        if recording is None or upload.file is None:
            raise Http404
        answer = {
            "location": f"{settings.PUBLIC_URL}/api/v1/recordings/{recording.pk}",
            "key": upload.key,
            "recording": recording.pk,
            "verified": upload.file.sha256 is not None,
        }
        response = Response(CompletedMultipartSerializer(answer).data, status=status.HTTP_200_OK)
        response["X-ChatVista-Recording"] = str(recording.pk)
        return response


class SingleUploadView(APIView):
    """What Uppy asks for when it would rather send a small file by one PUT."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Refuse: nobody would tell us when the file is there."""
        detail = "Files of any size are sent in parts here: set shouldUseMultipart to true."
        raise Problem("multipart_only", detail, status=409)


def _found(request: Request, upload_id: uuid.UUID) -> Upload:
    rows = Upload.objects.filter(kind=UploadKind.DIRECT, owner_id=person(request).pk).select_related("file")
    upload = rows.filter(pk=upload_id, key=request.query_params.get("key", "").replace("\x00", "")).first()
    if upload is None:
        raise Http404
    return upload


def _text(value: object) -> str:
    """Metadata in JSON says true where that of tus says "true"."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _size(written: str) -> int:
    if not written:
        return 0
    if not (written.isascii() and written.isdigit() and len(written) <= 18):
        sentence = "Give the number of bytes."
        raise Problem("validation_failed", sentence, status=400, fields={"metadata.size": [sentence]})
    return int(written)
