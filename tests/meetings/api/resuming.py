"""Speaking tus by hand: what clients send, header by header."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from rest_framework.test import APIClient

from meetings.models import Meeting
from storage_sync.models import Upload
from tests.storage_sync.making import space

TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = "application/offset+octet-stream"


def metadata(**values: str) -> str:
    """Upload-Metadata."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def begin(
    client: Any,
    meeting: Meeting,
    size: int,
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    **said: Any,
) -> Any:
    """POST /uploads."""
    words = metadata(meeting=str(meeting.pk), **({"filename": "weekly.wav", "filetype": "audio/wav"} | said))
    sent = TUS | {"Upload-Length": str(size), "Upload-Metadata": words} | (headers or {})
    kind = CHUNK if body else "application/octet-stream"
    return client.generic("POST", "/api/v1/uploads", body, content_type=kind if body else "", headers=sent)


@dataclass(frozen=True)
class Resuming:
    """One upload, as its client sees it."""

    client: Any
    address: str

    @property
    def row(self) -> Upload:
        """What the database says."""
        return Upload.objects.get(pk=self.address.partition("?")[0].rpartition("/")[2])

    def patch(self, offset: int, body: bytes, **headers: str) -> Any:
        """A chunk."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = TUS | {"Upload-Offset": str(offset)} | named
        return self.client.generic("PATCH", self.address, body, content_type=CHUNK, headers=sent)

    def head(self) -> Any:
        """Where it stands."""
        return self.client.generic("HEAD", self.address, headers=TUS)

    def delete(self) -> Any:
        """End it."""
        return self.client.generic("DELETE", self.address, headers=TUS)


def begun(client: Any, meeting: Meeting, size: int, **said: Any) -> Resuming:
    """An upload that was just begun; its own token is what opens it from now on."""
    answer = begin(client, meeting, size, **said)
    assert answer.status_code == 201, answer.content
    return Resuming(APIClient(), answer["Location"])


def objects() -> list[str]:
    """Every key of the Space."""
    return [found.key for found in space().page().found]
