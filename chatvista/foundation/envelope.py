"""Every error as `application/problem+json` (RFC 9457), whatever raised it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from chatvista.foundation.problems import Problem, TransientError

logger = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
PHRASES = {460: "Checksum Mismatch"}
"""Statuses that protocols of ours use and Python does not know: tus."""
CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}


def body(problem: Problem) -> dict[str, Any]:
    """The JSON members of a problem, in the order of the contract."""
    members: dict[str, Any] = {
        "type": f"urn:chatvista:problem:{problem.code}",
        "title": PHRASES.get(problem.status) or HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    if problem.fields:
        members["fields"] = problem.fields
    return members


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER: problems for all that is expected; None lets the rest become a logged 500."""
    problem = as_problem(error)
    if problem is None:
        return None
    set_rollback()
    response = Response(body(problem), status=problem.status, content_type=MEDIA_TYPE)
    for name, value in _headers(problem, error).items():
        response[name] = value
    return response


def as_problem(error: Exception) -> Problem | None:
    """The problem an exception stands for, or None when it is a fault of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TransientError):
        return Problem(error.code, error.detail, status=503, retry_after=math.ceil(error.retry_after or 5))
    if isinstance(error, exceptions.APIException):
        return _from_rest_framework(error)
    if isinstance(error, Http404):
        return Problem("not_found", "There is nothing here that you may see.", status=404)
    if isinstance(error, PermissionDenied):
        return Problem("permission_denied", "You may see this, but not do that.", status=403)
    if isinstance(error, RequestDataTooBig):
        return Problem("body_too_large", "The body is larger than this endpoint takes.", status=413)
    if isinstance(error, OperationalError | InterfaceError) and not _database_answers(error):
        return Problem("database_unavailable", "The database cannot be reached; try again.", status=503, retry_after=5)
    return None


def _database_answers(error: OperationalError | InterfaceError) -> bool:
    """Whether the database is there, so that the error is about the statement and not about the connection."""
    logger.warning("database_error", error=str(error))
    return connection.connection is not None and not connection.connection.closed and connection.is_usable()


def _from_rest_framework(error: exceptions.APIException) -> Problem:
    status = error.status_code
    if isinstance(error, exceptions.ValidationError):
        fields = flatten(error.detail)
        first = next(((name, messages[0]) for name, messages in fields.items() if messages), ("", "Not valid."))
        sentence = first[1] if first[0] == "non_field_errors" else f"{first[0]}: {first[1]}"
        return Problem("validation_failed", sentence, status=status, fields=fields)
    if isinstance(error, exceptions.ParseError):
        return Problem("malformed_body", str(error.detail), status=status)
    wait: float | None = getattr(error, "wait", None)  # DRF's Throttled knows how long
    retry_after = math.ceil(wait) if wait else None
    codes = error.get_codes()
    code = codes if isinstance(codes, str) and codes not in {"error", "throttled"} else CODES.get(status, "error")
    detail = error.detail if isinstance(error.detail, str) else str(error.detail)
    return Problem(code, detail, status=status, retry_after=retry_after)


def flatten(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested validation messages as one level: {"agenda.0.title": ["..."]}."""
    if isinstance(detail, Mapping):
        flat: dict[str, list[str]] = {}
        for name, inner in detail.items():
            flat |= flatten(inner, f"{prefix}.{name}" if prefix else str(name))
        return flat
    if isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        flat = {}
        for index, item in enumerate(detail):
            flat |= flatten(item, f"{prefix}.{index}" if prefix else str(index))
        return flat
    messages = detail if isinstance(detail, list) else [detail]
    return {prefix or "non_field_errors": [str(message) for message in messages]}


def _headers(problem: Problem, error: Exception) -> dict[str, str]:
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    challenge = getattr(error, "auth_header", None)
    if problem.status == 401:
        headers["WWW-Authenticate"] = challenge or 'Bearer realm="api"'
    return headers


def answer(problem: Problem) -> HttpResponse:
    """A problem as a plain Django response, for what fails outside DRF's views."""
    response = JsonResponse(body(problem), status=problem.status, content_type=MEDIA_TYPE)
    for name, value in _headers(problem, problem).items():
        response[name] = value
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    if isinstance(exception, RequestDataTooBig):
        return answer(Problem("body_too_large", "The body is larger than this endpoint takes.", status=413))
    detail = "The request is malformed." if isinstance(exception, SuspiciousOperation) else str(exception)
    return answer(Problem("bad_request", detail, status=400))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return answer(Problem("permission_denied", "You may see this, but not do that.", status=403))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return answer(Problem("not_found", "There is nothing here that you may see.", status=404))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: no detail leaves the house; the log has it under the request id."""
    detail = "Something went wrong on our side; it has been logged under this request's id."
    return answer(Problem("internal_error", detail, status=500))
