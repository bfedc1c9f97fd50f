"""/meetings: listing, making, reading, changing and archiving them, and walking them through their life."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from chatvista.foundation.idempotency import idempotent
from chatvista.foundation.preconditions import etag, require_current
from meetings import scheduling
from meetings.api import finding
from meetings.api.filters import MeetingFilters
from meetings.api.headers import IDEMPOTENCY_KEY, IF_MATCH
from meetings.api.listing import ORDERINGS, ListingView, OrderedPages, with_starts
from meetings.api.shapes.meeting import MeetingChangesSerializer, MeetingSerializer, NewMeetingSerializer
from meetings.models import Meeting

_ORDERING = OpenApiParameter(
    "ordering", OpenApiTypes.STR, enum=list(ORDERINGS), default="-created_at",
    description="Meetings without a scheduled start come after all others when ordered by it.",
)  # fmt: skip


class MeetingsView(ListingView[Meeting]):
    """All meetings one may see."""

    queryset = Meeting.objects.none()
    filterset_class = MeetingFilters
    pagination_class = OrderedPages

    @extend_schema(responses=MeetingSerializer(many=True), parameters=[_ORDERING], operation_id="meetings_list")
    def get(self, request: Request) -> Response:
        """Your meetings: those you take part in, or all of the organization for its owners, admins and auditors."""
        return self.page(with_starts(finding.meetings(request)), MeetingSerializer)

    @extend_schema(
        request=NewMeetingSerializer,
        responses={201: MeetingSerializer},
        parameters=[IDEMPOTENCY_KEY],
        operation_id="meeting_create",
    )
    @idempotent()
    def post(self, request: Request) -> Response:
        """Make a meeting; you are its host."""
        given = NewMeetingSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        meeting = scheduling.create_meeting(user=person(request), facts=given.facts())
        return _shown(meeting, status_code=status.HTTP_201_CREATED)


class MeetingView(APIView):
    """One meeting."""

    @extend_schema(responses=MeetingSerializer, operation_id="meeting_read")
    def get(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """A meeting, with its ETag."""
        return _shown(finding.meeting(request, meeting_id))

    @extend_schema(
        request=MeetingChangesSerializer,
        responses=MeetingSerializer,
        parameters=[IF_MATCH],
        operation_id="meeting_change",
    )
    def patch(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """Change a meeting. With `If-Match`, 412 `stale_revision` when somebody else changed it meanwhile."""
        meeting = finding.meeting(request, meeting_id)
        given = MeetingChangesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changed = scheduling.change_meeting(
            user=person(request), meeting=meeting, changes=given.facts(), check=_current(request)
        )
        return _shown(changed)

    @extend_schema(request=None, responses={204: None}, parameters=[IF_MATCH], operation_id="meeting_archive")
    def delete(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """Put a meeting in the trash, with all that hangs on it; /restore brings it back."""
        meeting = finding.meeting(request, meeting_id)
        scheduling.archive_meeting(user=person(request), meeting=meeting, check=_current(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeetingStartView(APIView):
    """Starting a meeting."""

    @extend_schema(request=None, responses=MeetingSerializer, operation_id="meeting_start")
    def post(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """A scheduled meeting is live from now on; a live one stays as it is."""
        meeting = finding.meeting(request, meeting_id)
        return _shown(scheduling.start_meeting(user=person(request), meeting=meeting))


class MeetingEndView(APIView):
    """Ending a meeting."""

    @extend_schema(request=None, responses=MeetingSerializer, operation_id="meeting_end")
    def post(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """A live meeting has ended now; an ended one stays as it is."""
        meeting = finding.meeting(request, meeting_id)
        return _shown(scheduling.end_meeting(user=person(request), meeting=meeting))


class MeetingCancelView(APIView):
    """Cancelling a meeting."""

    @extend_schema(request=None, responses=MeetingSerializer, operation_id="meeting_cancel")
    def post(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """A scheduled meeting will not take place; a cancelled one stays as it is."""
        meeting = finding.meeting(request, meeting_id)
        return _shown(scheduling.cancel_meeting(user=person(request), meeting=meeting))


class MeetingRestoreView(APIView):
    """Taking a meeting out of the trash."""

    @extend_schema(request=None, responses=MeetingSerializer, operation_id="meeting_restore")
    def post(self, request: Request, meeting_id: uuid.UUID) -> Response:
        """Bring an archived meeting back; one that is not archived stays as it is."""
        rows = Meeting.objects.of(person(request)).select_related("created_by", "organization")
        meeting = finding.one(rows, meeting_id)
        return _shown(scheduling.restore_meeting(user=person(request), meeting=meeting))


def _shown(meeting: Meeting, *, status_code: int = status.HTTP_200_OK) -> Response:
    response = Response(MeetingSerializer(meeting).data, status=status_code)
    response["ETag"] = etag(meeting)
    if status_code == status.HTTP_201_CREATED:
        response["Location"] = f"/api/v1/meetings/{meeting.pk}"
    return response


def _current(request: Request) -> Callable[[Meeting], None]:
    return lambda row: require_current(request=request, row=row)
