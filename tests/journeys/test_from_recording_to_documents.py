from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from chatvista.foundation import working
from meetings import samples
from tests.factories.people import api_for
from tests.meetings import making

SAMPLE = Path(samples.__file__).parent


def follow(client: APIClient, job: dict[str, Any]) -> None:
    """What a worker and a patient client do."""
    working.run_job(job_id=job["id"])
    now = client.get(f"/api/v1/jobs/{job['id']}").json()
    assert (now["state"], now["error"]) == ("completed", None)


def fetched(client: APIClient, source: str, form: str) -> bytes:
    asked = client.post(f"{source}/exports", {"format": form}).json()
    follow(client, asked["job"])
    return making.content_of(client.get(f"/api/v1/exports/{asked['export']['id']}/content"))


# The heartbeat of a job has a connection of its own and must see the job's row.
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("storeroom")
def test_a_recording_becomes_a_transcript_minutes_and_documents(hana: User) -> None:
    pytest.importorskip("faster_whisper", reason="the extra `speech` is not installed")
    script = json.loads((SAMPLE / "script.json").read_text())
    sound = (SAMPLE / "meeting.opus").read_bytes()
    client = api_for(hana)
    meeting = client.post("/api/v1/meetings", {"title": script["title"], "language": "en"}).json()
    own = f"/api/v1/meetings/{meeting['id']}"
    for name in script["participants"]:
        guest = name if isinstance(name, str) else name["name"]
        email = f"{guest.split()[0].lower()}@example.com"
        assert client.post(f"{own}/participants", {"name": guest, "email": email}).status_code == 201

    recording = client.post(f"{own}/recordings", sound, content_type="audio/ogg").json()
    assert recording["sha256"] == hashlib.sha256(sound).hexdigest()
    assert recording["storage"]["durability"] == "both"
    follow(client, recording["job"])
    assert client.get(f"/api/v1/recordings/{recording['id']}").json()["state"] == "transcribed"

    (transcript,) = client.get(f"{own}/transcripts").json()["results"]
    assert (transcript["state"], transcript["recording"]) == ("completed", recording["id"])
    segments = client.get(f"/api/v1/transcripts/{transcript['id']}/segments?page_size=200").json()["results"]
    assert len(segments) == transcript["segments_count"] > 5
    said = {word.strip(".,?!").lower() for segment in segments for word in segment["text"].split()}
    meant = {word.strip(".,?!").lower() for line in script["lines"] for word in line["text"].split()}
    assert len(said & meant) / len(meant) > 0.7

    asked = client.post(f"{own}/minutes", {}).json()
    follow(client, asked["job"])
    minutes = client.get(f"/api/v1/minutes/{asked['minutes']['id']}").json()
    assert minutes["status"] == "draft"
    assert minutes["summary"]
    assert minutes["coverage"]["segments_total"] == len(segments)
    ids = {segment["id"] for segment in segments}
    entries = [entry for part in ("topics", "decisions", "action_items", "open_questions") for entry in minutes[part]]
    assert minutes["decisions"]
    assert minutes["action_items"]
    assert all(entry["evidence"] for entry in entries)
    assert {cited["segment"] for entry in entries for cited in entry["evidence"]} <= ids

    item = minutes["action_items"][0]
    done = client.patch(f"/api/v1/action-items/{item['id']}", {"status": "done"}).json()
    assert done["status"] == "done"
    assert fetched(client, f"/api/v1/minutes/{minutes['id']}", "pdf").startswith(b"%PDF-")
    assert fetched(client, f"/api/v1/minutes/{minutes['id']}", "docx").startswith(b"PK")
    assert fetched(client, f"/api/v1/transcripts/{transcript['id']}", "vtt").startswith(b"WEBVTT")
