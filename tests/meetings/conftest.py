"""A meeting that Hana hosts and Pavel joins, and a recording of it that both sides hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from meetings import capturing
from meetings.models import Meeting, Participant, Recording
from storage_sync.arriving import receiving
from storage_sync.arriving.intake import Intake
from tests.fakes.openai_server import KEY, OpenAIServer, openai_server
from tests.meetings import making

Capture = Callable[..., Recording]


@pytest.fixture
def meeting(hana: User, pavel: User) -> Meeting:
    """Hana hosts, Pavel participates."""
    return making.meeting_of(hana, pavel)


@pytest.fixture
def capture(hana: User, meeting: Meeting, storeroom: Path) -> Capture:
    """Upload a recording as Hana; `data` is a WAV tone unless given."""

    def give(*, data: bytes = b"", participant: Participant | None = None, transcribe: bool = True) -> Recording:
        content = data or making.sound(seconds=1.0)
        with Intake(category="recordings", largest=1 << 30) as intake:
            intake.write(content)
            landed: receiving.Landed = intake.land()
            return capturing.capture(
                user=hana,
                meeting=meeting,
                landed=landed,
                original_name="board.wav",
                participant=participant,
                transcribe=transcribe,
            )

    return give


@pytest.fixture
def openai(settings: Any) -> Iterator[OpenAIServer]:
    """The engines at a server that speaks OpenAI's protocol."""
    with openai_server() as server:
        settings.OPENAI_API_KEY = KEY
        settings.OPENAI_BASE_URL = server.base_url
        yield server
