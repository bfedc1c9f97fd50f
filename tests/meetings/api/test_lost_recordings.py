"""A recording that no side has any more: its people are told so, and may put it out of sight."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from chatvista.foundation import working
from meetings.models import Meeting, Recording
from storage_sync.giving import reading
from storage_sync.models import StoredFile
from tests.meetings import making
from tests.meetings.api.uploading import TONE, upload
from tests.storage_sync.making import on_disk, put_in_cloud, space

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storeroom")]


def lose(made: dict[str, str]) -> StoredFile:
    file = StoredFile.objects.get(pk=made["file"])
    on_disk(file).unlink()
    space().delete(key=file.key)
    return file


def test_it_stays_in_sight_and_says_that_it_is_lost(as_hana: APIClient, meeting: Meeting) -> None:
    made = upload(as_hana, meeting).json()
    file = lose(made)
    address = f"/api/v1/recordings/{made['id']}"
    for _ in range(3):
        answer = as_hana.get(f"{address}/content")
        assert (answer.status_code, answer.json()["code"]) == (410, "file_lost")
    assert as_hana.get(address).json()["state"] == "lost"
    assert as_hana.get(f"/api/v1/files/{made['file']}").json()["state"] == "lost"
    listed = as_hana.get(f"/api/v1/meetings/{meeting.pk}/recordings").json()["results"]
    assert [(one["id"], one["state"]) for one in listed] == [(made["id"], "lost")]
    put_in_cloud(file.key, TONE)
    assert making.content_of(as_hana.get(f"{address}/content")) == TONE
    assert as_hana.get(address).json()["state"] != "lost"


def test_what_was_heard_in_it_stays(as_hana: APIClient, meeting: Meeting) -> None:
    made = upload(as_hana, meeting).json()
    [transcript] = as_hana.get(f"/api/v1/meetings/{meeting.pk}/transcripts").json()["results"]
    lose(made)
    as_hana.get(f"/api/v1/recordings/{made['id']}/content")
    assert as_hana.get(f"/api/v1/transcripts/{transcript['id']}").status_code == 200


@pytest.mark.parametrize("state", ["lost", "quarantined"])
def test_it_can_be_put_out_of_sight_and_back(as_hana: APIClient, meeting: Meeting, state: str) -> None:
    made = upload(as_hana, meeting).json()
    rows = StoredFile.objects.filter(pk=made["file"])
    rows.update(state=state)
    address = f"/api/v1/recordings/{made['id']}"
    assert as_hana.delete(address).status_code == 204
    assert as_hana.get(address).status_code == 404
    assert as_hana.get(f"/api/v1/meetings/{meeting.pk}/recordings").json()["results"] == []
    assert as_hana.post(f"{address}/restore").status_code == 200
    assert as_hana.get(address).status_code == 200
    assert rows.get().state == state


def test_a_lost_one_that_was_deleted_comes_back_as_deleted(as_hana: APIClient, meeting: Meeting) -> None:
    made = upload(as_hana, meeting).json()
    file = lose(made)
    as_hana.get(f"/api/v1/recordings/{made['id']}/content")
    as_hana.delete(f"/api/v1/recordings/{made['id']}")
    put_in_cloud(file.key, TONE)
    file.refresh_from_db()
    assert reading.local_path(file).read_bytes() == TONE
    assert StoredFile.objects.get(pk=file.pk).state == "archived"
    assert as_hana.get(f"/api/v1/recordings/{made['id']}").status_code == 404


def test_it_cannot_be_transcribed(as_hana: APIClient, meeting: Meeting) -> None:
    made = upload(as_hana, meeting).json()
    StoredFile.objects.filter(pk=made["file"]).update(state="lost")
    job = Recording.objects.get(pk=made["id"]).job
    assert job is not None
    working.run_job(job_id=job.pk)
    told = as_hana.get(f"/api/v1/jobs/{job.pk}").json()
    assert (told["state"], told["error"]["code"]) == ("failed", "file_lost")
