"""One answer per `Idempotency-Key`: a POST that is sent again gets the first answer and creates nothing twice.

The key's row is claimed before the work and given its answer in the transaction of the work where there is one.
A claim left by a killed process expires, so that a retry can go on; whoever was slower than that has lost it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import uuid
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chatvista.foundation.envelope import as_problem
from chatvista.foundation.heartbeats import beating
from chatvista.foundation.leases import in_seconds
from chatvista.foundation.models import IdempotencyKey
from chatvista.foundation.problems import Problem

HEADER = "Idempotency-Key"
CLAIM_SECONDS = 60.0
KEPT = timedelta(days=1)
_REPLAYED = ("Location", "ETag", "X-ChatVista-Recording", "Upload-Offset", "Upload-Expires")
_SANE = re.compile(r"[\x21-\x7e]{1,200}")

# By request, so that the claim goes when the request goes.
_claims: weakref.WeakKeyDictionary[Request, uuid.UUID] = weakref.WeakKeyDictionary()

P = ParamSpec("P")
V = TypeVar("V", bound=APIView)
Handler = Callable[Concatenate[V, Request, P], Response]


def idempotent(
    *,
    fingerprint: Callable[[Request], str] | None = None,
    is_same_body: Callable[[Request, Any], bool] = lambda request, answer: True,
) -> Callable[[Handler[V, P]], Handler[V, P]]:
    """Decorate a creating POST handler of an authenticated view.

    Args:
        fingerprint: what makes two requests the same; by default the parsed body. Streamed bodies pass their own,
            made of headers alone. Those who give one do their work outside any transaction, under `claimed_id`.
        is_same_body: for streamed bodies: whether the body of a repeated request is the one that was answered. It
            reads the body, since only that can tell.
    """

    def decorate(handler: Handler[V, P]) -> Handler[V, P]:
        @functools.wraps(handler)
        def answer_once(view: V, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                return handler(view, request, *args, **kwargs)
            if not _SANE.fullmatch(key):
                raise Problem("idempotency_key_malformed", f"{HEADER} takes 1 to 200 visible ASCII characters.")
            print_of = fingerprint(request) if fingerprint else body_print(request)
            row = _claim(caller=request.user.pk, route=f"{request.method} {request.path}", key=key, print_of=print_of)
            if row.status is not None:
                if not is_same_body(request, row.answer):
                    raise _reused()
                return _replay(row)
            _claims[request] = row.pk

            def respond() -> Response:
                return handler(view, request, *args, **kwargs)

            return _answer_streamed(row, respond) if fingerprint else _answer_at_once(row, respond)

        return cast("Handler[V, P]", answer_once)

    return decorate


def _answer_at_once(row: IdempotencyKey, respond: Callable[[], Response]) -> Response:
    """The deed and its answer in one transaction: a crash leaves both or neither."""
    try:
        with transaction.atomic():
            response = respond()
            if not _remember(_held(row), response):
                raise _in_use()
    except BaseException:
        _held(row).delete()
        raise
    return response


def _answer_streamed(row: IdempotencyKey, respond: Callable[[], Response]) -> Response:
    """A body is streamed outside any transaction; the handler makes its row under `claimed_id`.

    That is one id for all attempts, so the answer is right even if another attempt goes on meanwhile.
    """
    try:
        with beating(lambda: _renew(row), every=CLAIM_SECONDS / 4, name=f"idempotency-{row.pk}"):
            response = respond()
        _remember(IdempotencyKey.objects.filter(pk=row.pk), response)
    except BaseException as error:
        if _created_nothing(error):
            _held(row).delete()
        else:
            # Something may be there, or come to be, under the claimed id: a retry must look for it there.
            _held(row).update(lease_until=Now())
        raise
    return response


def claimed_id(request: Request) -> uuid.UUID | None:
    """The id a handler should give to what it creates, so that a repeated request finds its first attempt.

    None where the request carries no key.
    """
    return _claims.get(request)


def forget_old_keys() -> int:
    """Delete keys older than a day; returns how many."""
    gone, _ = IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT).delete()
    return gone


def body_print(request: Request) -> str:
    """What makes two requests the same where nothing else is said: their parsed bodies."""
    canonical = json.dumps(request.data, sort_keys=True, separators=(",", ":"), cls=DjangoJSONEncoder)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _claim(*, caller: Any, route: str, key: str, print_of: str) -> IdempotencyKey:
    try:
        with transaction.atomic():
            made = IdempotencyKey.objects.create(
                caller=caller, route=route, key=key, fingerprint=print_of, lease_until=in_seconds(CLAIM_SECONDS)
            )
    except IntegrityError:
        row = IdempotencyKey.objects.filter(caller=caller, route=route, key=key).first()
    else:
        made.refresh_from_db(fields=["lease_until"])
        return made
    if row is None:
        raise Problem("idempotency_key_in_use", "A request with this key just ended; send it again.", status=409)
    if row.fingerprint != print_of:
        raise _reused()
    if row.status is None:
        if not _held(row).filter(lease_until__lt=Now()).update(lease_until=in_seconds(CLAIM_SECONDS)):
            raise _in_use()
        row.refresh_from_db(fields=["lease_until"])
    return row


def _held(row: IdempotencyKey) -> QuerySet[IdempotencyKey]:
    """The row while it is unanswered and our claim on it stands; the end of its lease tells one claim from another."""
    return IdempotencyKey.objects.filter(pk=row.pk, status__isnull=True, lease_until=row.lease_until)


def _renew(row: IdempotencyKey) -> bool:
    if not _held(row).update(lease_until=in_seconds(CLAIM_SECONDS)):
        return False
    # Just renewed, so nobody can have taken it over before this read.
    row.refresh_from_db(fields=["lease_until"])
    return True


def _in_use() -> Problem:
    detail = "A request with this key is being served; ask again for its answer."
    return Problem("idempotency_key_in_use", detail, status=409, retry_after=5)


def _reused() -> Problem:
    return Problem("idempotency_key_reused", "This key was used for another request; make a new one.", status=409)


def _created_nothing(error: BaseException) -> bool:
    """Whether the request was refused for what it is. A conflict or a failure may leave something behind."""
    problem = as_problem(error) if isinstance(error, Exception) else None
    return problem is not None and problem.status < 500 and problem.status != 409


def _replay(row: IdempotencyKey) -> Response:
    response = Response(row.answer, status=row.status)
    for name, value in row.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def _remember(rows: QuerySet[IdempotencyKey], response: Response) -> bool:
    answer = json.loads(json.dumps(response.data, cls=DjangoJSONEncoder))
    headers = {name: response[name] for name in _REPLAYED if name in response}
    return bool(rows.update(status=response.status_code, answer=answer, headers=headers, updated_at=Now()))
