"""/meetings/{id}/recordings and /recordings/{id}: taking them in, following them, and getting the bytes back."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from chatvista.foundation import audit
from chatvista.foundation.idempotency import claimed_id, idempotent
from chatvista.foundation.problems import Problem
from meetings import abilities, capturing
from meetings.abilities import Ability
from meetings.api import finding, streaming
from meetings.api.headers import DIGEST, DISPOSITION, IDEMPOTENCY_KEY, RANGE
from meetings.api.listing import ListingView
from meetings.api.negotiating import AsItIs
from meetings.api.shapes.recording import RecordingSerializer
from meetings.models import Meeting, Recording
from storage_sync.giving import serving, sharing
from storage_sync.models import StoredFile
from storage_sync.vocabulary import Category, CopyState, SideName

_UPLOAD = {
    "audio/*": OpenApiTypes.BINARY,
    "video/*": OpenApiTypes.BINARY,
    "application/octet-stream": OpenApiTypes.BINARY,
    "multipart/form-data": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
    },
}
_PARTICIPANT = OpenApiParameter(
    "participant", OpenApiTypes.UUID, description="The one participant this track holds, where it holds one."
)
_TRANSCRIBE = OpenApiParameter("transcribe", OpenApiTypes.BOOL, default=True, description="false keeps it as it is.")
_REDIRECT = OpenApiParameter(
    "redirect", OpenApiTypes.BOOL, default=False,
    description="true answers 302 to a link that works for a while; what the Space sends, nobody verifies on the way.",
)  # fmt: skip


def _is_same_recording(request: Request, answer: Any) -> bool:
    """Whether a repeated upload brings the bytes that were answered: they are read again, and not kept."""
    # Sealed whatever it is: it is only compared, and must leave nothing on the disk that anybody could read.
    with streaming.arriving(
        request=request, category=Category.RECORDINGS, allowance=None, is_confidential=True
    ) as arrival:
        return bool(arrival.landed.sha256 == answer["sha256"])


class RecordingsView(ListingView[Recording]):
    """The recordings of a meeting."""

    queryset = Recording.objects.none()

    @extend_schema(responses=RecordingSerializer(many=True), operation_id="recordings_list")
    def get(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """The recordings of a meeting, newest first."""
        meeting = finding.meeting(request, meeting_id)
        return self.page(finding.recordings(request).filter(meeting=meeting), RecordingSerializer)

    @extend_schema(
        request=_UPLOAD,
        responses={201: RecordingSerializer, 202: RecordingSerializer},
        parameters=[_PARTICIPANT, _TRANSCRIBE, IDEMPOTENCY_KEY, DISPOSITION, DIGEST],
        operation_id="recording_add",
    )
    @idempotent(fingerprint=streaming.request_fingerprint, is_same_body=_is_same_recording)
    def post(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """Add a recording: the raw body, or the one part `file` of a form (other parts without a file are ignored).

        201 means that every copy is verified; 202 (only with STORAGE_ACK=local) that this disk has it, and the Space is
        to get it. What it is, is decided from its bytes: 415 `not_audio_or_video`.
        """
        user, meeting = person(request), finding.meeting(request, meeting_id)
        abilities.require(user=user, meeting=meeting, ability=Ability.ADD_RECORDING)
        asked_for = request.query_params.get("participant")
        participant = None if asked_for is None else finding.participant_of(meeting, asked_for)
        transcribe = _flag(request, "transcribe", default=True)
        with streaming.arriving(
            request=request,
            category=Category.RECORDINGS,
            allowance=_allowance(meeting),
            is_confidential=meeting.is_confidential,
        ) as arrival:
            recording = capturing.capture(
                user=user,
                meeting=meeting,
                landed=arrival.landed,
                original_name=arrival.name,
                participant=participant,
                transcribe=transcribe,
                recording_id=claimed_id(request),
            )
        # 201 where the Space has it too, or where this disk is all there is; 202 while the Space is still to get it.
        # One look decides both the status and what is shown: the copy may be made at this moment.
        fresh = finding.with_storage(Recording.objects.all()).get(pk=recording.pk)
        copies = fresh.file.copies.all()
        is_due = any(copy.side == SideName.CLOUD and copy.state != CopyState.PRESENT for copy in copies)
        response = Response(
            RecordingSerializer(fresh).data, status=status.HTTP_202_ACCEPTED if is_due else status.HTTP_201_CREATED
        )
        response["Location"] = f"/api/v1/recordings/{recording.pk}"
        return response


class RecordingView(APIView):
    """One recording."""

    @extend_schema(responses=RecordingSerializer, operation_id="recording_read")
    def get(self, request: Request, recording_id: uuid.UUID) -> Response:
        """A recording, where its copies are, and how far its transcription is."""
        return _shown(finding.recording(request, recording_id))

    @extend_schema(request=None, responses={204: None}, operation_id="recording_archive")
    def delete(self, request: Request, recording_id: uuid.UUID) -> Response:
        """Archive a recording and its transcripts; /restore brings them back."""
        recording = finding.one(finding.recordings(request), recording_id)
        capturing.archive_recording(user=person(request), recording=recording)
        return Response(status=status.HTTP_204_NO_CONTENT)


class RecordingRestoreView(APIView):
    """Taking a recording out of the archive."""

    @extend_schema(request=None, responses=RecordingSerializer, operation_id="recording_restore")
    def post(self, request: Request, recording_id: uuid.UUID) -> Response:
        """Bring an archived recording back; one that is not archived stays as it is, and 409 once it is purged."""
        recording = finding.one(finding.restorable_recordings(request), recording_id)
        return _shown(capturing.restore_recording(user=person(request), recording=recording))


class RecordingRetryView(APIView):
    """Transcribing again."""

    @extend_schema(request=None, responses=RecordingSerializer, operation_id="recording_retry")
    def post(self, request: Request, recording_id: uuid.UUID) -> Response:
        """Queue a failed, cancelled or never begun transcription; any other is left as it is."""
        recording = finding.one(finding.recordings(request), recording_id)
        return _shown(capturing.retry_transcription(user=person(request), recording=recording))


class RecordingCancelView(APIView):
    """Not transcribing any further."""

    @extend_schema(request=None, responses=RecordingSerializer, operation_id="recording_cancel")
    def post(self, request: Request, recording_id: uuid.UUID) -> Response:
        """Stop the transcription; the recording stays."""
        recording = finding.one(finding.recordings(request), recording_id)
        return _shown(capturing.cancel_transcription(user=person(request), recording=recording))


class RecordingContentView(APIView):
    """The bytes of a recording."""

    content_negotiation_class = AsItIs

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="A link that gives the bytes to whoever holds it, for a while."),
        },
        parameters=[_REDIRECT, RANGE],
        operation_id="recording_content",
    )
    def get(self, request: Request, recording_id: uuid.UUID) -> HttpResponseBase:
        """The recording as it was uploaded; 410 once it is purged. Takes Range and conditional requests."""
        recording = finding.recording(request, recording_id)
        as_link = _flag(request, "redirect", default=False)
        _audit_read(request, recording)
        if as_link:
            return HttpResponseRedirect(sharing.link(recording.file, filename=recording.original_name))
        return serving.respond(request, recording.file, filename=recording.original_name, inline=True)


def _shown(recording: Recording, *, status_code: int = status.HTTP_200_OK) -> Response:
    fresh = finding.with_storage(Recording.objects.all()).get(pk=recording.pk)
    return Response(RecordingSerializer(fresh).data, status=status_code)


def _allowance(meeting: Meeting) -> int:
    used = StoredFile.objects.used_bytes(meeting.organization_id)
    allowed: int = meeting.organization.allowed_bytes
    return max(0, allowed - used)


def _flag(request: Request, name: str, *, default: bool) -> bool:
    written = request.query_params.get(name)
    if written is None:
        return default
    if written.lower() not in {"true", "false", "1", "0"}:
        sentence = "Give true or false."
        raise Problem("validation_failed", sentence, status=400, fields={name: [sentence]})
    return written.lower() in {"true", "1"}


def _audit_read(request: Request, recording: Recording) -> None:
    """Every request for bytes is on record, each range too: any of them may be the one that mattered."""
    if request.method == "GET":
        audit.record(
            action="recording.read", target_kind="recording", target_id=recording.pk, actor=person(request).pk,
            tenant_id=recording.meeting.organization_id, range=request.headers.get("Range", "")[:100],
        )  # fmt: skip
