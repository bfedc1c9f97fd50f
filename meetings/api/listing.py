"""Views that list: pages, and how the pages of meetings may be ordered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet, Value
from django.db.models.functions import Coalesce
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from chatvista.foundation.paging import CursorPages
from chatvista.foundation.problems import Problem

Row = TypeVar("Row", bound=Model)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Where meetings without a start stand when ordered by it: a cursor cannot stand on nothing."""

ORDERINGS: dict[str, tuple[str, ...]] = {
    "-created_at": ("-id",),
    "created_at": ("id",),
    "scheduled_start": ("starts", "id"),
    "-scheduled_start": ("-starts", "-id"),
}


class ListingView(GenericAPIView[Row]):
    """A view that answers GET with a page of rows; one that shares its address with POST has no filters there."""

    def page(self, rows: QuerySet[Row], shape: type[serializers.BaseSerializer[Any]]) -> Response:
        """The page of `rows` that was asked for, filtered by the view's filters."""
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(shape(page, many=True).data)


class OrderedPages(CursorPages):
    """Pages of meetings by `ordering`: -created_at (default), created_at, scheduled_start or -scheduled_start."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        """The columns that `ordering` means. An id is made when its row is, so it stands for created_at."""
        asked = request.query_params.get("ordering", "-created_at")
        if asked not in ORDERINGS:
            sentence = f"Choose one of {', '.join(ORDERINGS)}."
            raise Problem("validation_failed", sentence, status=400, fields={"ordering": [sentence]})
        return ORDERINGS[asked]


class PositionPages(CursorPages):
    """Pages in the order of `position`."""

    ordering = "position"


def with_starts(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows with `starts`, the scheduled start or the end of all times."""
    started: QuerySet[Any] = rows.annotate(starts=Coalesce("scheduled_start", Value(NEVER)))
    return started
