"""Beginning an upload straight to the Space twice, and while the Space does not answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from chatvista.foundation.problems import TransientError
from meetings.models import Meeting
from storage_sync.models import Upload
from storage_sync.sides.multiparts import begin as really_begin
from storage_sync.uploading import beginning

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storeroom")]


def begin(client: APIClient, meeting: Meeting, key: str, **said: Any) -> Any:
    body = {"filename": "weekly.wav", "type": "audio/wav", "metadata": {"meeting": str(meeting.pk)} | said}
    return client.post("/api/v1/s3/multipart", body, headers={"Idempotency-Key": key})


def away(**_: Any) -> None:
    raise TransientError("cloud_unavailable", "The Space does not answer.")


def test_the_space_is_asked_outside_any_transaction(
    as_hana: APIClient, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[bool] = []

    def look(**asked: Any) -> Any:
        within.append(connection.in_atomic_block)
        return really_begin(**asked)

    monkeypatch.setattr(beginning, "begin_multipart", look)
    first, again = (begin(as_hana, meeting, "one") for _ in range(2))
    assert within == [False]
    assert (first.status_code, first.json()) == (200, again.json())
    assert begin(as_hana, meeting, "one", transcribe=False).json()["code"] == "idempotency_key_reused"


def test_a_space_that_is_away_leaves_nothing_and_the_same_request_begins_it_later(
    as_hana: APIClient, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(beginning, "begin_multipart", away)
        assert begin(as_hana, meeting, "one").status_code == 503
    assert not Upload.objects.exists()
    begun = begin(as_hana, meeting, "one").json()
    upload = Upload.objects.get()
    assert (str(upload.pk), upload.key) == (begun["uploadId"], begun["key"])
    assert (upload.state, bool(upload.multipart_id)) == ("open", True)
