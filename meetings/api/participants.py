"""/meetings/{id}/participants and /participants/{id}."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from chatvista.foundation.idempotency import idempotent
from meetings import inviting
from meetings.api import finding
from meetings.api.headers import IDEMPOTENCY_KEY
from meetings.api.listing import ListingView
from meetings.api.shapes.participant import (
    NewParticipantSerializer,
    ParticipantChangesSerializer,
    ParticipantSerializer,
)
from meetings.models import Participant


class ParticipantsView(ListingView[Participant]):
    """Who takes part in a meeting."""

    queryset = Participant.objects.none()

    @extend_schema(responses=ParticipantSerializer(many=True), operation_id="participants_list")
    def get(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """The participants of a meeting."""
        meeting = finding.meeting(request, meeting_id)
        return self.page(Participant.objects.filter(meeting=meeting), ParticipantSerializer)

    @extend_schema(
        request=NewParticipantSerializer,
        responses={201: ParticipantSerializer},
        parameters=[IDEMPOTENCY_KEY],
        operation_id="participant_add",
    )
    @idempotent()
    def post(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """Let somebody in: a user of the organization, or a person from outside. 409 `already_participant`."""
        meeting = finding.meeting(request, meeting_id)
        given = NewParticipantSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        facts = given.validated_data
        participant = inviting.add_participant(
            user=person(request), meeting=meeting, person=facts["user"], name=facts["name"], email=facts["email"],
            role=facts["role"],
        )  # fmt: skip
        return Response(ParticipantSerializer(participant).data, status=status.HTTP_201_CREATED)


class ParticipantView(APIView):
    """One participant."""

    @extend_schema(
        request=ParticipantChangesSerializer, responses=ParticipantSerializer, operation_id="participant_change"
    )
    def patch(self, request: Request, participant_id: uuid.UUID) -> Response:
        """Change a name or a role. 409 `last_host` when nobody would host the meeting."""
        participant = finding.one(finding.participants(request), participant_id)
        given = ParticipantChangesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changed = inviting.change_participant(user=person(request), participant=participant, **given.validated_data)
        return Response(ParticipantSerializer(changed).data)

    @extend_schema(request=None, responses={204: None}, operation_id="participant_remove")
    def delete(self, request: Request, participant_id: uuid.UUID) -> Response:
        """Let somebody go; what they said and have to do keeps their name. 409 `last_host`."""
        participant = finding.one(finding.participants(request), participant_id)
        inviting.remove_participant(user=person(request), participant=participant)
        return Response(status=status.HTTP_204_NO_CONTENT)
