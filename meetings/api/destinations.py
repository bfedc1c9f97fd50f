"""Where an upload is to go, in the words that clients of tus and Uppy have for it: metadata of text values."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TypedDict

from rest_framework.request import Request

from chatvista.foundation.problems import Problem
from meetings.api import finding
from meetings.api.dispositions import clean_name
from meetings.models import Meeting, Participant

_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,30}/[A-Za-z0-9][A-Za-z0-9.+-]{0,60}")
_FLAGS = {"": True, "true": True, "1": True, "false": False, "0": False}


class Destination(TypedDict):
    """What `uploading.begin` needs to know of it."""

    meeting: Meeting
    participant: Participant | None
    transcribe: bool
    name: str
    content_type: str


def destination_of(request: Request, get: Callable[..., str]) -> Destination:
    """Read it; `get` gives the first of some names that says something, or "".

    Raises Problem 400 `validation_failed`, 404 where the meeting is not to be seen.
    """
    meeting = _meeting(request, get("meeting"))
    participant = get("participant")
    transcribe = get("transcribe").lower()
    if transcribe not in _FLAGS:
        raise _invalid("transcribe", "Give true or false.")
    return Destination(
        meeting=meeting,
        participant=finding.participant_of(meeting, participant) if participant else None,
        transcribe=_FLAGS[transcribe],
        name=clean_name(get("filename", "name")),
        content_type=_type_of(get("filetype", "type")),
    )


def _meeting(request: Request, written: str) -> Meeting:
    if not written:
        raise _invalid("meeting", "Say in the metadata which meeting it is a recording of.")
    try:
        return finding.meeting(request, uuid.UUID(written))
    except ValueError as error:
        raise _invalid("meeting", "This is no id of a meeting.") from error


def _type_of(said: str) -> str:
    """Only a hint for the Space; what the file is, its bytes tell."""
    media_type = said.partition(";")[0].strip()
    return media_type if _TYPE.fullmatch(media_type) else "application/octet-stream"


def _invalid(field: str, sentence: str) -> Problem:
    return Problem("validation_failed", f"{field}: {sentence}", status=400, fields={field: [sentence]})
