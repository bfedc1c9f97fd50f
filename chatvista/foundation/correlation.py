"""The request id: taken from the client where it is sane, else made; in every log line and in the answer.

The same middleware refuses what no route can mean (NUL bytes in the address) before it reaches a database.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from chatvista.foundation.envelope import answer
from chatvista.foundation.problems import Problem

_SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class RequestIdMiddleware:
    """Puts `X-Request-ID` in order before django-structlog binds it, and on every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request under a request id that cannot forge log lines."""
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _SANE.fullmatch(given) else str(uuid.uuid4())
        request.META["HTTP_X_REQUEST_ID"] = request_id
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", "") or "\x00" in str(request.GET):
            response = answer(Problem("nul_byte", "An address cannot hold a NUL byte.", status=400))
        else:
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
