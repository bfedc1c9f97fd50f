"""GET /storage/status, POST /storage/sync and /storage/reconcile: for operators, and true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from accounts.models import AuditEvent
from chatvista.foundation import working
from chatvista.foundation.leases import in_seconds
from chatvista.foundation.models import Job
from storage_sync.inspecting.reconciling import reconcile
from storage_sync.models import Copy, Inspection, Node, StoredFile
from storage_sync.reporting import probing
from tests.storage_sync.making import space, store

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import User

pytestmark = pytest.mark.django_db
ApiFor = Callable[["User | None"], "APIClient"]
WAYS = [("get", "status"), ("post", "sync"), ("post", "reconcile")]


@pytest.mark.parametrize(("method", "way"), WAYS)
def test_for_operators_alone(hana: User, api_for: ApiFor, method: str, way: str) -> None:
    assert getattr(api_for(None), method)(f"/api/v1/storage/{way}").status_code == 401
    refused = getattr(api_for(hana), method)(f"/api/v1/storage/{way}")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert not Job.objects.exists()


@pytest.mark.parametrize("body", ["{", "[]", '{"categories": ["recordings"]}', "7"])
def test_an_order_to_sync_takes_nothing(oscar: User, api_for: ApiFor, body: str) -> None:
    client = api_for(oscar)
    answer = client.post("/api/v1/storage/sync", body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert not AuditEvent.objects.filter(action="storage.sync_ordered").exists()
    assert client.post("/api/v1/storage/sync", "{}", content_type="application/json").status_code == 202


def test_the_status_is_what_the_rows_say(
    storeroom: Path, oscar: User, api_for: ApiFor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = store(), store(category="minutes", extension="pdf", content_type="application/pdf")
    Copy.objects.filter(file=second, side="cloud").update(
        state="missing", next_attempt_at=Now(), error="cloud_unavailable", verified_at=in_seconds(-7200)
    )
    Copy.objects.filter(file=first, side="local").update(verified_at=in_seconds(-86_400))
    Copy.objects.update(created_at=in_seconds(-90_000))
    Node.objects.create(name="here", disk_id=first.pk, heartbeat_at=Now(), free_bytes=5, total_bytes=9, is_durable=True)
    Node.objects.create(name="gone", disk_id=first.pk, heartbeat_at=in_seconds(-900), died_at=Now())
    reconcile()
    monkeypatch.setattr(probing, "cloud_state", lambda: "connected" if settings.SPACES_ENDPOINT else "not_configured")
    told = api_for(oscar).get("/api/v1/storage/status").json()
    assert (told["local"], told["cloud"], told["files"]) == ("available", "connected", {"stored": 2})
    here, there = told["sides"]
    assert (here["side"], here["files"], here["bytes"], here["to_be_made"]) == ("local", 2, 2 * first.size, 0)
    assert here["oldest_unverified_seconds"] == pytest.approx(86_400, abs=120)
    assert here["oldest_pending_seconds"] is None
    assert (there["side"], there["files"], there["missing"]) == ("cloud", 1 + 1, 0), "reconciling adopted it"
    assert [line["category"] for line in there["categories"]] == ["minutes", "recordings"]
    assert [(node["node"], node["alive"]) for node in told["nodes"]] == [("here", True), ("gone", False)]
    [inspection] = told["inspections"]
    assert (inspection["kind"], inspection["aborted"], inspection["files"]) == ("reconciliation", None, 4)
    assert told["uploads"] == {"open": 0, "bytes": 0, "announced_bytes": 0}
    settings.SPACES_ENDPOINT = ""
    assert api_for(oscar).get("/api/v1/storage/status").json()["cloud"] == "not_configured"


def test_what_waits_is_told_with_its_age_and_reason(storeroom: Path, oscar: User, api_for: ApiFor) -> None:
    file = store()
    Copy.objects.filter(side="cloud").update(
        state="missing", next_attempt_at=in_seconds(60), error="cloud_unavailable", created_at=in_seconds(-90_000),
        verified_at=in_seconds(-7200),
    )  # fmt: skip
    told = api_for(oscar).get("/api/v1/storage/status").json()
    there = told["sides"][1]
    assert (there["missing"], there["to_be_made"], there["files"]) == (1, 1, 0)
    assert there["oldest_pending_seconds"] == pytest.approx(7200, abs=120)
    assert told["errors"] == [{"error": "cloud_unavailable", "copies": 1}]
    woken = api_for(oscar).post("/api/v1/storage/sync")
    assert (woken.status_code, woken.json()) == (202, {"copies": 1, "due": 0, "bytes": file.size})
    assert AuditEvent.objects.filter(action="storage.sync_ordered", actor=oscar.pk).exists()


def test_a_reconciliation_is_ordered_followed_and_read(
    storeroom: Path,
    oscar: User,
    hana: User,
    api_for: ApiFor,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    file, _ = store(), store()
    space().delete(key=file.key)
    client = api_for(oscar)
    with django_capture_on_commit_callbacks():
        answer = client.post(
            "/api/v1/storage/reconcile",
            {"sides": ["cloud"], "categories": ["recordings"], "force": ["share"]},
            HTTP_IDEMPOTENCY_KEY="once",
        )
        again = client.post(
            "/api/v1/storage/reconcile",
            {"sides": ["cloud"], "categories": ["recordings"], "force": ["share"]},
            HTTP_IDEMPOTENCY_KEY="once",
        )
    assert answer.status_code == 202, answer.content
    assert again.json() == answer.json()
    job = Job.objects.get()
    assert client.get(f"/api/v1/jobs/{job.pk}").json()["kind"] == "reconciliation"
    assert api_for(hana).get(f"/api/v1/jobs/{job.pk}").status_code == 404
    working.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == "completed"
    inspection = Inspection.objects.get(pk=answer.json()["inspection"])
    assert (inspection.verdicts, inspection.is_partial) == ({"cloud": {"agree": 1, "missing": 1}}, True)
    assert StoredFile.objects.get(pk=file.pk).state == "stored"


@pytest.mark.parametrize(
    "body",
    [
        {"sides": ["pool"]}, {"sides": []}, {"sides": "local"}, {"categories": ["x"]}, {"dry_run": "perhaps"},
        {"force": ["listing"]}, {"force": [None]}, [], {"dryrun": True}, {"side": "local"}, {"dry_run": "true"},
    ],
)  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused(oscar: User, api_for: ApiFor, body: object) -> None:
    answer = api_for(oscar).post("/api/v1/storage/reconcile", body)
    assert answer.status_code == 400, answer.content
    assert not Job.objects.exists()
