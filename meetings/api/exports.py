"""Exports: asking for a document of minutes or of a transcript, following it, and getting it."""

from __future__ import annotations

import uuid

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from chatvista.foundation import audit
from chatvista.foundation.idempotency import idempotent
from chatvista.foundation.problems import Problem
from chatvista.foundation.serializers import JobSerializer
from meetings import abilities, exporting
from meetings.abilities import Ability
from meetings.api import finding
from meetings.api.dispositions import document_name
from meetings.api.headers import IDEMPOTENCY_KEY, RANGE
from meetings.api.listing import ListingView
from meetings.api.negotiating import AsItIs
from meetings.api.shapes.export import ExportRequestSerializer, ExportSerializer, RequestedExportSerializer
from meetings.models import Export
from storage_sync.giving import serving


class MinutesExportsView(APIView):
    """Documents of minutes."""

    @extend_schema(
        request=ExportRequestSerializer,
        responses={202: RequestedExportSerializer},
        parameters=[IDEMPOTENCY_KEY],
        operation_id="minutes_export",
    )
    @idempotent()
    def post(self, request: Request, minutes_id: uuid.UUID) -> Response:
        """Have minutes made into a document (pdf, docx, md, html, txt, json); 409 `not_ready` before they exist."""
        minutes = finding.one(finding.minutes(request).select_related("meeting__organization"), minutes_id)
        abilities.require(user=person(request), meeting=minutes.meeting, ability=Ability.EXPORT)
        return _accepted(exporting.request_export(user=person(request), minutes=minutes, format=_format(request)))


class TranscriptExportsView(APIView):
    """Documents of transcripts."""

    @extend_schema(
        request=ExportRequestSerializer,
        responses={202: RequestedExportSerializer},
        parameters=[IDEMPOTENCY_KEY],
        operation_id="transcript_export",
    )
    @idempotent()
    def post(self, request: Request, transcript_id: uuid.UUID) -> Response:
        """Have a transcript made into a document (pdf, docx, md, html, txt, srt, vtt, json)."""
        transcript = finding.one(finding.transcripts(request), transcript_id)
        abilities.require(user=person(request), meeting=transcript.meeting, ability=Ability.EXPORT)
        return _accepted(
            exporting.request_export(user=person(request), transcript=transcript, format=_format(request))
        )  # fmt: skip


class MeetingExportsView(ListingView[Export]):
    """The documents of a meeting."""

    queryset = Export.objects.none()

    @extend_schema(responses=ExportSerializer(many=True), operation_id="exports_list")
    def get(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """All exports of a meeting, newest first."""
        meeting = finding.meeting(request, meeting_id)
        return self.page(finding.exports(request).filter(meeting=meeting), ExportSerializer)


class ExportView(APIView):
    """One export."""

    @extend_schema(responses=ExportSerializer, operation_id="export_read")
    def get(self, request: Request, export_id: uuid.UUID) -> Response:
        """An export and its job."""
        return Response(ExportSerializer(finding.one(finding.exports(request), export_id)).data)


class ExportContentView(APIView):
    """The document."""

    content_negotiation_class = AsItIs

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        },
        parameters=[RANGE],
        operation_id="export_content",
    )
    def get(self, request: Request, export_id: uuid.UUID) -> HttpResponseBase:
        """The document's bytes. 409 `not_ready` before they exist. Takes Range and conditional requests."""
        export = finding.one(finding.exports(request), export_id)
        if export.is_gone:
            raise Problem(
                "export_gone", "The document is in the archive, lost or removed; ask for a new one.", status=410
            )
        if export.file is None or not export.is_ready:
            raise Problem("not_ready", "The document is not there yet; follow its job.", status=409)
        if request.method == "GET":
            audit.record(
                action="export.read", target_kind="export", target_id=export.pk, actor=person(request).pk,
                tenant_id=export.meeting.organization_id, format=export.format,
            )  # fmt: skip
        kind = "minutes" if export.minutes_id else "transcript"
        name = document_name(title=export.meeting.title, kind=kind, extension=export.format)
        return serving.respond(request, export.file, filename=name)


def _format(request: Request) -> str:
    given = ExportRequestSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    wanted: str = given.validated_data["format"]
    return wanted


def _accepted(export: Export) -> Response:
    shown = Export.objects.select_related("job", "file").get(pk=export.pk)
    answer = {"export": ExportSerializer(shown).data, "job": JobSerializer(shown.job).data}
    return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": f"/api/v1/exports/{export.pk}"})
