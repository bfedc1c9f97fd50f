"""The request id: taken from the client where it is sane, else made; in every log line and in the answer.

The same middleware refuses what no route can mean (NUL bytes in the address) before it reaches a database.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from chatvista.foundation.addresses import address_of
from chatvista.foundation.envelope import answer
from chatvista.foundation.problems import Problem

_SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class RequestIdMiddleware:
    """Puts `X-Request-ID` in order before django-structlog binds it, and on every answer; binds the address itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request under a request id that cannot forge log lines."""
        # Not by `request.headers`: that is built once, and whoever reads it later would miss the id made here.
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _SANE.fullmatch(given) else str(uuid.uuid4())
        request.META["HTTP_X_REQUEST_ID"] = request_id
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", "") or "\x00" in str(request.GET):
            response = answer(Problem("nul_byte", "An address cannot hold a NUL byte.", status=400))
        else:
            with structlog.contextvars.bound_contextvars(ip=address_of(request)):
                response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
