"""/meetings/{id}/minutes and /minutes/{id}."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from chatvista.foundation.idempotency import idempotent
from chatvista.foundation.problems import Problem
from chatvista.foundation.serializers import JobSerializer
from meetings import abilities, minuting
from meetings.abilities import Ability
from meetings.api import finding
from meetings.api.headers import IDEMPOTENCY_KEY
from meetings.api.listing import ListingView
from meetings.api.shapes.minutes import (
    MinutesRequestSerializer,
    MinutesSerializer,
    RequestedMinutesSerializer,
    with_items,
)
from meetings.models import Minutes


class MinutesListView(ListingView[Minutes]):
    """The minutes of a meeting."""

    queryset = Minutes.objects.none()

    @extend_schema(responses=MinutesSerializer(many=True), operation_id="minutes_list")
    def get(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """All versions, newest first."""
        meeting = finding.meeting(request, meeting_id)
        return self.page(with_items(finding.minutes(request).filter(meeting=meeting)), MinutesSerializer)

    @extend_schema(
        request=MinutesRequestSerializer,
        responses={202: RequestedMinutesSerializer},
        parameters=[IDEMPOTENCY_KEY],
        operation_id="minutes_request",
    )
    @idempotent()
    def post(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """Have minutes written from a transcript, the newest completed one unless said; follow the job.

        409 `no_transcript` where there is none to work from.
        """
        user, meeting = person(request), finding.meeting(request, meeting_id)
        abilities.require(user=user, meeting=meeting, ability=Ability.WRITE_MINUTES)
        given = MinutesRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        facts = given.validated_data
        transcript = None
        if facts["transcript"] is not None:
            transcript = finding.transcripts(request).filter(meeting=meeting, pk=facts["transcript"]).first()
            if transcript is None:
                sentence = "This meeting has no such transcript."
                raise Problem("validation_failed", sentence, status=400, fields={"transcript": [sentence]})
        minutes = minuting.request_minutes(
            user=user, meeting=meeting, transcript=transcript, template=facts["template"], language=facts["language"]
        )
        shown = with_items(Minutes.objects.filter(pk=minutes.pk)).get()
        answer = {"minutes": MinutesSerializer(shown).data, "job": JobSerializer(shown.job).data}
        return Response(
            answer, status=status.HTTP_202_ACCEPTED, headers={"Location": f"/api/v1/minutes/{minutes.pk}"}
        )  # fmt: skip


class MinutesView(APIView):
    """One version of minutes."""

    @extend_schema(responses=MinutesSerializer, operation_id="minutes_read")
    def get(self, request: Request, minutes_id: uuid.UUID) -> Response:
        """Minutes, each line with the moments it rests on. `status` is pending until they are written."""
        return Response(MinutesSerializer(finding.one(with_items(finding.minutes(request)), minutes_id)).data)
