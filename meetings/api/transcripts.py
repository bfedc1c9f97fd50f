"""/meetings/{id}/transcripts and /transcripts/{id}: versions of what was said, whole, in segments and as documents."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from chatvista.foundation import audit
from chatvista.foundation.idempotency import idempotent
from chatvista.foundation.parsing import LargeJSONParser
from chatvista.foundation.problems import Problem
from meetings import abilities, importing
from meetings.abilities import Ability
from meetings.api import finding
from meetings.api.dispositions import document_name
from meetings.api.headers import IDEMPOTENCY_KEY
from meetings.api.listing import ListingView, PositionPages
from meetings.api.negotiating import AsItIs
from meetings.api.parsers import READERS, SubRipParser, TextParser, WebVTTParser
from meetings.api.shapes.transcript import ImportSerializer, SegmentSerializer, TranscriptSerializer
from meetings.api.strict import LanguageField
from meetings.describing import transcript_document
from meetings.models import Meeting, Segment, Transcript
from meetings.renderers import render_transcript
from storage_sync.giving.dispositions import content_disposition

_FORMATS = ("vtt", "srt", "txt", "json", "md")
_LANGUAGE = OpenApiParameter("language", OpenApiTypes.STR, description="BCP 47 tag of a text; JSON carries its own.")
_FORMAT = OpenApiParameter("format", OpenApiTypes.STR, enum=_FORMATS, default="json")


class TranscriptsView(ListingView[Transcript]):
    """The transcripts of a meeting."""

    queryset = Transcript.objects.none()
    parser_classes = (LargeJSONParser, WebVTTParser, SubRipParser, TextParser)

    @extend_schema(responses=TranscriptSerializer(many=True), operation_id="transcripts_list")
    def get(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """All versions, newest first."""
        meeting = finding.meeting(request, meeting_id)
        return self.page(finding.transcripts(request).filter(meeting=meeting), TranscriptSerializer)

    @extend_schema(
        request={
            "application/json": ImportSerializer,
            "text/vtt": OpenApiTypes.STR,
            "application/x-subrip": OpenApiTypes.STR,
            "text/plain": OpenApiTypes.STR,
        },
        responses={201: TranscriptSerializer},
        parameters=[_LANGUAGE, IDEMPOTENCY_KEY],
        operation_id="transcript_import",
    )
    @idempotent()
    def post(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """Import a transcript: JSON segments, WebVTT, SubRip, or plain text with a turn `Name: text` on each line.

        One segment per given segment, in order (a WebVTT cue with several voices: one per voice). Plain text has no
        times; each turn is laid after the one before at 150 words a minute. Control characters are taken out of names
        and words (line breaks and tabs stay in words), NUL is refused. At most 50,000 segments and 1,000 speakers.
        """
        user, meeting = person(request), finding.meeting(request, meeting_id)
        abilities.require(user=user, meeting=meeting, ability=Ability.ADD_TRANSCRIPT)
        transcript = _import(request, meeting)
        response = Response(TranscriptSerializer(transcript).data, status=status.HTTP_201_CREATED)
        response["Location"] = f"/api/v1/transcripts/{transcript.pk}"
        return response


def _import(request: Request, meeting: Meeting) -> Transcript:
    user, body = person(request), request.data
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type == LargeJSONParser.media_type:
        given = ImportSerializer(data=body)
        given.is_valid(raise_exception=True)
        facts = given.validated_data
        return importing.import_transcript(
            user=user, meeting=meeting, lines=facts["segments"], form="json", language=facts["language"]
        )
    if "form" not in body:
        raise Problem("empty_body", "The body is empty.")
    language = LanguageField().run_validation(request.query_params.get("language", ""))
    lines = READERS[body["form"]](body["text"])
    return importing.import_transcript(user=user, meeting=meeting, lines=lines, form=body["form"], language=language)


class TranscriptView(APIView):
    """One transcript."""

    @extend_schema(responses=TranscriptSerializer, operation_id="transcript_read")
    def get(self, request: Request, transcript_id: uuid.UUID) -> Response:
        """A transcript; its lines are at /segments."""
        return Response(TranscriptSerializer(finding.one(finding.transcripts(request), transcript_id)).data)


class SegmentsView(ListingView[Segment]):
    """The lines of a transcript."""

    queryset = Segment.objects.none()
    pagination_class = PositionPages

    @extend_schema(responses=SegmentSerializer(many=True), operation_id="segments_list")
    def get(self, request: Request, transcript_id: uuid.UUID) -> Response:
        """The segments in order; none before the transcript is completed."""
        transcript = finding.one(finding.transcripts(request), transcript_id)
        return self.page(Segment.objects.filter(transcript=transcript).select_related("speaker"), SegmentSerializer)


class TranscriptContentView(APIView):
    """A transcript as a file."""

    content_negotiation_class = AsItIs

    @extend_schema(
        responses={
            (200, "text/vtt"): OpenApiTypes.STR,
            (200, "application/x-subrip"): OpenApiTypes.STR,
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/markdown"): OpenApiTypes.STR,
        },
        parameters=[_FORMAT],
        operation_id="transcript_content",
    )
    def get(self, request: Request, transcript_id: uuid.UUID) -> HttpResponse:
        """The whole transcript in one format. 409 `not_ready` before it is completed."""
        transcript = finding.one(finding.transcripts(request), transcript_id)
        form = request.query_params.get("format", "json")
        if form not in _FORMATS:
            sentence = f"Choose one of {', '.join(_FORMATS)}."
            raise Problem("format_not_available", sentence, fields={"format": [sentence]})
        if transcript.state != "completed":
            raise Problem("not_ready", "The transcript is not completed; follow its job.", status=409)
        rendered = render_transcript(transcript_document(transcript), format=form)
        audit.record(
            action="transcript.read", target_kind="transcript", target_id=transcript.pk, actor=person(request).pk,
            tenant_id=transcript.meeting.organization_id, format=form,
        )  # fmt: skip
        name = document_name(title=transcript.meeting.title, kind="transcript", extension=rendered.extension)
        response = HttpResponse(rendered.content, content_type=rendered.media_type)
        response["Content-Disposition"] = content_disposition(
            filename=name, inline=False, content_type=rendered.media_type
        )  # fmt: skip
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-cache"
        return response
