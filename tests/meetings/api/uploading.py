"""Sending a recording through the API."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from meetings.models import Meeting
from tests.meetings import making

TONE = making.sound()


def upload(
    client: APIClient, meeting: Meeting, body: bytes = TONE, query: str = "", content_type: str = "audio/wav",
    headers: dict[str, str] | None = None,
) -> Any:  # fmt: skip
    address = f"/api/v1/meetings/{meeting.pk}/recordings{query}"
    return client.post(address, body, content_type=content_type, headers=headers)
