"""One answer per `Idempotency-Key`: a POST that is sent again gets the first answer and creates nothing twice.

The key's row is claimed before the work and given its answer in the transaction of the work where there is one.
A claim left by a killed process expires, so that a retry can go on.
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
from django.db.models.functions import Now
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.models import IdempotencyKey
from chatvista.foundation.problems import Problem

HEADER = "Idempotency-Key"
CLAIM_SECONDS = 600.0
KEPT = timedelta(days=1)
_REPLAYED = ("Location", "ETag", "X-ChatVista-Recording")
_SANE = re.compile(r"[\x21-\x7e]{1,200}")

# By request, so that the claim goes when the request goes.
_claims: weakref.WeakKeyDictionary[Request, uuid.UUID] = weakref.WeakKeyDictionary()

P = ParamSpec("P")
V = TypeVar("V", bound=APIView)
Handler = Callable[Concatenate[V, Request, P], Response]


def idempotent(*, fingerprint: Callable[[Request], str] | None = None) -> Callable[[Handler[V, P]], Handler[V, P]]:
    """Decorate a creating POST handler of an authenticated view.

    Args:
        fingerprint: what makes two requests the same; by default the parsed body. Streamed bodies pass their own,
            made of headers alone.
    """

    def decorate(handler: Handler[V, P]) -> Handler[V, P]:
        @functools.wraps(handler)
        def answer_once(view: V, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                return handler(view, request, *args, **kwargs)
            if not _SANE.fullmatch(key):
                raise Problem("idempotency_key_malformed", f"{HEADER} takes 1 to 200 visible ASCII characters.")
            print_of = fingerprint(request) if fingerprint else _body_print(request)
            row = _claim(caller=request.user.pk, route=f"{request.method} {request.path}", key=key, print_of=print_of)
            if row.answer is not None:
                return _replay(row)
            _claims[request] = row.pk
            try:
                if fingerprint is None:
                    # One transaction for the deed and its answer: a crash leaves both or neither.
                    with transaction.atomic():
                        response = handler(view, request, *args, **kwargs)
                        _remember(row, response)
                else:
                    # A body is streamed outside any transaction; the handler makes its row under `claimed_id`.
                    response = handler(view, request, *args, **kwargs)
                    _remember(row, response)
            except BaseException:
                # Nothing was created, so the same key may be tried again at once.
                IdempotencyKey.objects.filter(pk=row.pk, status__isnull=True).delete()
                raise
            return response

        return cast("Handler[V, P]", answer_once)

    return decorate


def claimed_id(request: Request) -> uuid.UUID | None:
    """The id a handler should give to what it creates, so that a repeated request finds its first attempt.

    None where the request carries no key.
    """
    return _claims.get(request)


def forget_old_keys() -> int:
    """Delete keys older than a day; returns how many."""
    gone, _ = IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT).delete()
    return gone


def _body_print(request: Request) -> str:
    canonical = json.dumps(request.data, sort_keys=True, separators=(",", ":"), cls=DjangoJSONEncoder)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _claim(*, caller: Any, route: str, key: str, print_of: str) -> IdempotencyKey:
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                caller=caller, route=route, key=key, fingerprint=print_of, lease_until=in_seconds(CLAIM_SECONDS)
            )
    except IntegrityError:
        row = IdempotencyKey.objects.filter(caller=caller, route=route, key=key).first()
    if row is None:
        raise Problem("idempotency_key_in_use", "A request with this key just ended; send it again.", status=409)
    if row.fingerprint != print_of:
        raise Problem("idempotency_key_reused", "This key was used for another request; make a new one.", status=409)
    if row.answer is None:
        taken_over = IdempotencyKey.objects.filter(pk=row.pk, status__isnull=True, lease_until__lt=Now()).update(
            lease_until=in_seconds(CLAIM_SECONDS)
        )
        if not taken_over:
            raise Problem(
                "idempotency_key_in_use",
                "A request with this key is being served; ask again for its answer.",
                status=409,
                retry_after=2,
            )
    return row


def _replay(row: IdempotencyKey) -> Response:
    response = Response(row.answer, status=row.status)
    for name, value in row.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def _remember(row: IdempotencyKey, response: Response) -> None:
    answer = json.loads(json.dumps(response.data, cls=DjangoJSONEncoder))
    headers = {name: response[name] for name in _REPLAYED if name in response}
    IdempotencyKey.objects.filter(pk=row.pk).update(
        status=response.status_code, answer=answer, headers=headers, updated_at=Now()
    )
