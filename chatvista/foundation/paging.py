"""Cursor pages: flat cost at any depth, stable while rows come and go."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """Newest first by default, since UUIDv7 ids sort by birth; views that order otherwise name an own `ordering`."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"
