"""What the status of an upload's answer promises: 201 every copy, 202 this disk, and the Space as soon as it can."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from meetings.models import Meeting
from tests.meetings import making

pytestmark = pytest.mark.django_db


def upload(client: APIClient, meeting: Meeting, **headers: str) -> tuple[int, dict[str, str], str]:
    path = f"/api/v1/meetings/{meeting.pk}/recordings?transcribe=false"
    answer = client.post(path, data=making.sound(), content_type="audio/wav", headers=headers)
    storage = answer.json()["storage"]
    return answer.status_code, {copy["side"]: copy["state"] for copy in storage["copies"]}, storage["durability"]


def test_every_copy_is_verified_before_201(as_hana: APIClient, meeting: Meeting, storeroom: Path) -> None:
    assert upload(as_hana, meeting) == (201, {"local": "present", "cloud": "present"}, "both")


@pytest.mark.parametrize("space", ["away", "there"])
def test_where_the_disk_is_enough_the_answer_says_what_is_still_to_come(
    as_hana: APIClient, meeting: Meeting, storeroom: Path, settings: Settings, space: str
) -> None:
    settings.STORAGE_ACK = "local"
    if space == "away":
        settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    assert upload(as_hana, meeting) == (202, {"local": "present", "cloud": "pending"}, "local")


def test_without_a_space_the_disk_is_all_there_is(
    as_hana: APIClient, meeting: Meeting, storeroom: Path, settings: Settings
) -> None:
    settings.SPACES_ENDPOINT = ""
    assert upload(as_hana, meeting) == (201, {"local": "present"}, "local")


def test_a_repeated_202_is_the_same_202(
    as_hana: APIClient, meeting: Meeting, storeroom: Path, settings: Settings
) -> None:
    settings.STORAGE_ACK = "local"
    first, again = (upload(as_hana, meeting, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert first == again
    assert first[0] == 202
    assert meeting.recordings.count() == 1
