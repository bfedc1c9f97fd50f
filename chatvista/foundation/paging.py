"""Cursor pages: flat cost at any depth, stable while rows come and go."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from chatvista.foundation.problems import Problem


class CursorPages(CursorPagination):
    """Newest first by default, since UUIDv7 ids sort by birth; views that order otherwise name an own `ordering`."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any] | None:
        """One page; Problem 400 `invalid_cursor` for a cursor that this service did not make."""
        try:
            return super().paginate_queryset(queryset, request, view)
        # A cursor of the right shape may still hold a position that is no id, instant or number.
        except (NotFound, ValidationError, ValueError, TypeError, OverflowError) as error:
            raise Problem("invalid_cursor", "This cursor was not made by this list; start without one.") from error

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The cursor of the request; NotFound or ValueError for one that merely looks like none of ours.

        Decoding as DRF does it skips what it does not understand, and so answers the first page to any noise.
        """
        if encoded := request.query_params.get(self.cursor_query_param):
            tokens = parse_qs(base64.b64decode(encoded, validate=True).decode("ascii"), strict_parsing=True)
            if not tokens.keys() <= {"o", "p", "r"}:
                raise ValueError("not the members of a cursor")
        return super().decode_cursor(request)

    def get_page_size(self, request: Request) -> int | None:
        """The size asked for, 200 at most; Problem 400 for what is no size."""
        asked = request.query_params.get(self.page_size_query_param or "")
        if asked is not None and not (asked.isascii() and asked.isdigit() and int(asked[:9]) > 0):
            sentence = "Give a number from 1 to 200."
            raise Problem("validation_failed", sentence, status=400, fields={"page_size": [sentence]})
        return super().get_page_size(request)
