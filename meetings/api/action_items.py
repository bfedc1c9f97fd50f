"""/action-items: what somebody has to do, over all meetings one sees."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from meetings import assigning
from meetings.api import finding
from meetings.api.filters import ActionItemFilters
from meetings.api.listing import ListingView
from meetings.api.shapes.minutes import ActionItemChangesSerializer, ActionItemSerializer
from meetings.models import ActionItem


class ActionItemsView(ListingView[ActionItem]):
    """All action items one may see."""

    queryset = ActionItem.objects.none()
    filterset_class = ActionItemFilters

    @extend_schema(responses=ActionItemSerializer(many=True), operation_id="action_items_list")
    def get(self, request: Request) -> Response:
        """Action items, those of the newest finished minutes of each meeting unless `minutes` names others."""
        return self.page(finding.action_items(request), ActionItemSerializer)


class ActionItemView(APIView):
    """One action item."""

    @extend_schema(responses=ActionItemSerializer, operation_id="action_item_read")
    def get(self, request: Request, item_id: uuid.UUID) -> Response:
        """An action item with its evidence."""
        return Response(ActionItemSerializer(finding.one(finding.action_items(request), item_id)).data)

    @extend_schema(
        request=ActionItemChangesSerializer, responses=ActionItemSerializer, operation_id="action_item_change"
    )
    def patch(self, request: Request, item_id: uuid.UUID) -> Response:
        """Say who has to do it, by when, and how far it is."""
        item = finding.one(finding.action_items(request), item_id)
        given = ActionItemChangesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        assigning.change_action_item(user=person(request), item=item, changes=given.validated_data)
        return Response(ActionItemSerializer(finding.one(finding.action_items(request), item_id)).data)
