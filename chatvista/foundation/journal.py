"""What is logged of every request: not the tokens in its address, with which anybody who reads a log could act."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django_structlog.middlewares import RequestMiddleware

if TYPE_CHECKING:
    from django.http import HttpRequest

_TOKEN = re.compile(r"([?&]token=)[^&]*")


class RequestJournal(RequestMiddleware):
    """The library's middleware, with addresses that may be kept."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and address."""
        return _TOKEN.sub(r"\1...", f"{request.method} {request.get_full_path()}")
