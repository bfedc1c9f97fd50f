"""The API of files: the ledger of one, and the download that a link of ours gives."""

from __future__ import annotations

import uuid

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chatvista.foundation.problems import Problem
from storage_sync import ownership
from storage_sync.api.serializers import FileSerializer
from storage_sync.giving import serving, sharing
from storage_sync.models import StoredFile
from storage_sync.vocabulary import FileState

UNSEEN = (FileState.RESERVED, FileState.ABANDONED)


class FileView(APIView):
    """The ledger of one file."""

    @extend_schema(operation_id="files_retrieve", responses=FileSerializer)
    def get(self, request: Request, file_id: uuid.UUID) -> Response:
        """Size, checksum, state, and where its copies are; 404 unless you may see the file."""
        file = StoredFile.objects.exclude(state__in=UNSEEN).prefetch_related("copies").filter(pk=file_id).first()
        if file is None or not ownership.may_see(user=request.user, file_id=file_id):
            raise Problem("not_found", "There is nothing here that you may see.", status=404)
        return Response(FileSerializer(file).data)


class DownloadView(APIView):
    """The bytes of one file, for whoever holds a link."""

    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes: list[type[BasePermission]] = [AllowAny]

    @extend_schema(
        operation_id="files_download",
        auth=[],
        parameters=[OpenApiParameter("token", str, required=True, description="From a link; it expires.")],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, file_id: uuid.UUID) -> HttpResponseBase:
        """The file as an attachment; Range and conditional requests work."""
        file, name = sharing.open_link(file_id=file_id, token=request.query_params.get("token", ""))
        return serving.respond(request, file, filename=name)
