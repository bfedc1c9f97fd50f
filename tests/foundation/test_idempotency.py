"""One answer per Idempotency-Key."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import connection
from django.db.models.functions import Now
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from chatvista.foundation import idempotency
from chatvista.foundation.models import IdempotencyKey
from chatvista.foundation.problems import Problem

CALLER = uuid.uuid4()
CLAIM: dict[str, Any] = {"caller": CALLER, "route": "POST /things", "key": "k1", "print_of": "the same"}


class Counting(APIView):
    """A view that counts what it made."""

    authentication_classes = ()
    permission_classes = ()
    made: list[str] = []
    failing = False
    gate: threading.Event | None = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        request.user = cast("Any", SimpleNamespace(pk=CALLER, is_authenticated=True))

    @idempotency.idempotent()
    def post(self, request: Request) -> Response:
        if gate := type(self).gate:
            gate.wait(5)
        if type(self).failing:
            raise Problem("broken", "It failed.", status=422)
        self.made.append(request.data["title"])
        return Response({"number": len(self.made)}, status=201, headers={"Location": f"/{len(self.made)}"})


@pytest.fixture(autouse=True)
def fresh() -> None:
    Counting.made = []
    Counting.failing = False
    Counting.gate = None


def send(title: object = "a", key: str | None = "k1") -> Response:
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key is not None else {}
    request = APIRequestFactory().post("/things", {"title": title}, format="json", **headers)
    response = Counting.as_view()(request)
    assert isinstance(response, Response)
    return response


@pytest.mark.django_db
def test_the_same_request_twice_is_done_once_and_answered_twice() -> None:
    first, second = send(), send()
    assert (first.status_code, first.data, first["Location"]) == (201, {"number": 1}, "/1")
    assert (second.status_code, second.data, second["Location"]) == (201, {"number": 1}, "/1")
    assert second["Idempotency-Replayed"] == "true"
    assert Counting.made == ["a"]


@pytest.mark.django_db
def test_without_a_key_every_request_counts() -> None:
    send(key=None)
    send(key=None)
    assert Counting.made == ["a", "a"]


@pytest.mark.django_db
def test_a_key_reused_for_another_body_is_refused() -> None:
    send("a")
    response = send("b")
    assert (response.status_code, response.data["code"]) == (409, "idempotency_key_reused")
    assert Counting.made == ["a"]


@pytest.mark.django_db
def test_a_failed_request_frees_its_key() -> None:
    Counting.failing = True
    assert send().status_code == 422
    Counting.failing = False
    assert send().status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "x" * 201, "ü", "a b", "a\tb"])
def test_a_malformed_key_is_refused(key: str) -> None:
    response = send(key=key)
    assert (response.status_code, response.data["code"]) == (400, "idempotency_key_malformed")


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_creates_and_the_other_is_told_to_ask_again() -> None:
    Counting.gate = threading.Event()
    answers: list[Response] = []

    def one() -> None:
        answers.append(send())
        connection.close()

    first = threading.Thread(target=one)
    first.start()
    for _ in range(100):
        if IdempotencyKey.objects.exists():
            break
        threading.Event().wait(0.02)
    meanwhile = send()
    assert (meanwhile.status_code, meanwhile.data["code"]) == (409, "idempotency_key_in_use")
    assert meanwhile["Retry-After"] == "5"
    Counting.gate.set()
    first.join()
    assert answers[0].status_code == 201
    assert Counting.made == ["a"]


@pytest.mark.django_db
def test_a_claim_left_by_a_killed_process_is_taken_over() -> None:
    send()
    IdempotencyKey.objects.update(status=None, answer=None)
    assert send().status_code == 409
    IdempotencyKey.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert send().status_code == 201


@pytest.mark.django_db
def test_old_keys_are_forgotten_and_young_ones_kept() -> None:
    send(key="old")
    IdempotencyKey.objects.update(created_at=Now() - timedelta(days=2))
    send("b", key="young")
    assert idempotency.forget_old_keys() == 1
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["young"]


class Streaming(Counting):
    """A view that makes what it makes outside any transaction, under the claimed id."""

    claimed: list[uuid.UUID | None] = []
    fails: Exception | None = None
    meanwhile: Callable[[], None] | None = None

    @idempotency.idempotent(fingerprint=lambda request: "the same")
    def post(self, request: Request) -> Response:
        self.claimed.append(idempotency.claimed_id(request))
        if (meanwhile := type(self).meanwhile) is not None:
            type(self).meanwhile = None
            meanwhile()
        if (fails := type(self).fails) is not None:
            type(self).fails = None
            raise fails
        return Response({"number": len(self.claimed)}, status=201)


@pytest.fixture
def streaming() -> type[Streaming]:
    Streaming.claimed, Streaming.fails, Streaming.meanwhile = [], None, None
    return Streaming


def stream() -> Any:
    return Streaming.as_view()(APIRequestFactory().post("/things", {}, format="json", HTTP_IDEMPOTENCY_KEY="k1"))


def run_out() -> None:
    IdempotencyKey.objects.update(lease_until=Now() - timedelta(seconds=1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "keeps_id"),
    [
        (Problem("upload_being_settled", "An earlier attempt is being settled.", status=409), True),
        (Problem("storage_unavailable", "Away.", status=503), True),
        (Problem("not_audio_or_video", "A text.", status=415), False),
    ],
)
def test_an_attempt_that_may_have_left_something_is_repeated_under_its_id(
    streaming: type[Streaming], error: Problem, keeps_id: bool
) -> None:
    streaming.fails = error
    assert stream().status_code == error.status
    assert stream().status_code == 201
    first, second = streaming.claimed
    assert (first == second) is keeps_id


@pytest.mark.django_db
def test_a_slow_attempt_that_fails_leaves_the_claim_to_the_one_that_took_it_over(streaming: type[Streaming]) -> None:
    taken_over: list[IdempotencyKey] = []

    def take_over() -> None:
        run_out()
        taken_over.append(idempotency._claim(**CLAIM))

    streaming.meanwhile = take_over
    streaming.fails = Problem("body_cut_short", "The connection broke.", status=400)
    assert stream().status_code == 400
    assert IdempotencyKey.objects.get().pk == streaming.claimed[0] == taken_over[0].pk
    assert stream().data["code"] == "idempotency_key_in_use"


@pytest.mark.django_db(transaction=True)
def test_a_slow_transaction_whose_claim_was_taken_over_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    Counting.gate = threading.Event()

    def take_over() -> None:
        run_out()
        idempotency._claim(**{**CLAIM, "print_of": IdempotencyKey.objects.get().fingerprint})
        connection.close()

    def be_slow(_: float) -> None:
        another = threading.Thread(target=take_over)
        another.start()
        another.join()

    monkeypatch.setattr(Counting.gate, "wait", be_slow)
    answer = send()
    assert (answer.status_code, answer.data["code"]) == (409, "idempotency_key_in_use")
    assert IdempotencyKey.objects.get().status is None
