"""The API of retention: owners and admins decide about their own files, auditors read, others learn nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from accounts.models import AuditEvent
from storage_sync.models import RetentionPolicy, StoredFile
from storage_sync.retaining import applying, purging
from storage_sync.retaining.selecting import database_now
from tests.factories.people import make_user
from tests.storage_sync.making import WORDS
from tests.storage_sync.retaining.ageing import archived, policy, stored

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]
ApiFor = Callable[["User | None"], "APIClient"]
POLICIES = "/api/v1/retention-policies"


def of(user: User) -> uuid.UUID:
    assert user.organization_id is not None
    return user.organization_id


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def auditor(hana: User) -> User:
    return make_user(name="Audrey", role="auditor", organization=hana.organization)


def test_an_owner_sets_changes_and_removes_a_policy(hana: User, api_for: ApiFor) -> None:
    client = api_for(hana)
    made = client.post(POLICIES, {"category": "recordings", "archive_after_days": 90, "purge_after_days": 30})
    assert made.status_code == 201
    told = made.json()
    assert (told["organization"], told["category"]) == (str(hana.organization_id), "recordings")
    address = made["Location"]
    assert client.get(address).json() == told
    assert [row["id"] for row in client.get(POLICIES).json()["results"]] == [told["id"]]
    changed = client.patch(address, {"purge_after_days": None}, HTTP_IF_MATCH=made["ETag"])
    assert (changed.status_code, changed.json()["purge_after_days"], changed.json()["archive_after_days"]) == (
        200,
        None,
        90,
    )
    assert changed["ETag"] != made["ETag"]
    assert code(client.patch(address, {"purge_after_days": 1}, HTTP_IF_MATCH=made["ETag"])) == (412, "stale_revision")
    assert code(client.delete(address, HTTP_IF_MATCH=made["ETag"])) == (412, "stale_revision")
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    actions = AuditEvent.objects.filter(target_kind="retention_policy").order_by("pk").values_list("action", flat=True)
    assert list(actions) == [f"retention_policy.{did}" for did in ("created", "changed", "removed")]


def test_a_second_policy_for_a_category_is_refused_and_a_repeated_request_is_not(hana: User, api_for: ApiFor) -> None:
    client, body = api_for(hana), {"category": "minutes", "archive_after_days": 5}
    first = client.post(POLICIES, body, HTTP_IDEMPOTENCY_KEY="k")
    again = client.post(POLICIES, body, HTTP_IDEMPOTENCY_KEY="k")
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert code(client.post(POLICIES, body)) == (409, "policy_exists")
    assert code(client.post(POLICIES, body, HTTP_IDEMPOTENCY_KEY="other")) == (409, "policy_exists")
    assert RetentionPolicy.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"category": "recordings"},
        {"category": "recordings", "archive_after_days": None, "purge_after_days": None},
        {"category": "nonsense", "archive_after_days": 1},
        {"category": ["recordings"], "archive_after_days": 1},
        {"category": "recordings", "archive_after_days": 0},
        {"category": "recordings", "purge_after_days": -1},
        {"category": "recordings", "purge_after_days": 36_501},
        {"category": "recordings", "purge_after_days": 10**30},
        {"category": "recordings", "purge_after_days": 1.5},
        {"category": "recordings", "purge_after_days": "7"},
        {"category": "recordings", "purge_after_days": True},
        {"category": "recordings", "purge_after_days": 7, "organization": str(uuid.uuid4())},
        {"category": "recordings", "purge_after_days": 7, "organization": None},
        {"category": "recordings", "purge_after_days": 7, "organization": 7},
        {"category": "recordings", "purge_after_days": 7, "organisation": "x"},
    ],
)
def test_what_makes_no_sense_is_refused(hana: User, api_for: ApiFor, body: dict[str, Any]) -> None:
    answer = api_for(hana).post(POLICIES, body)
    assert code(answer) == (400, "validation_failed")
    assert answer.json()["fields"]
    assert not RetentionPolicy.objects.exists()


def test_a_change_may_not_leave_a_policy_without_a_word(hana: User, api_for: ApiFor) -> None:
    mine = policy(tenant_id=of(hana), archive_after_days=5)
    answer = api_for(hana).patch(f"{POLICIES}/{mine.pk}", {"archive_after_days": None})
    assert code(answer) == (400, "validation_failed")


def test_members_are_refused_and_outsiders_find_nothing(
    hana: User, pavel: User, olga: User, auditor: User, api_for: ApiFor
) -> None:
    mine, general = policy(tenant_id=of(hana), archive_after_days=5), policy(purge_after_days=9)
    body = {"category": "minutes", "purge_after_days": 5}
    reads = (POLICIES, f"{POLICIES}/{mine.pk}", f"{POLICIES}/preview", "/api/v1/deletions")
    assert [api_for(None).get(path).status_code for path in reads] == [401] * 4
    assert [api_for(pavel).get(path).status_code for path in reads] == [403] * 4
    assert [api_for(auditor).get(path).status_code for path in reads] == [200] * 4
    for who in (pavel, auditor):
        assert code(api_for(who).post(POLICIES, body)) == (403, "permission_denied")
        assert code(api_for(who).patch(f"{POLICIES}/{mine.pk}", {"purge_after_days": 1})) == (403, "permission_denied")
        assert code(api_for(who).delete(f"{POLICIES}/{mine.pk}")) == (403, "permission_denied")
    strange = api_for(olga)
    for answer in (
        strange.get(f"{POLICIES}/{mine.pk}"),
        strange.patch(f"{POLICIES}/{mine.pk}", {"purge_after_days": 1}),
        strange.delete(f"{POLICIES}/{mine.pk}"),
    ):
        assert code(answer) == (404, "not_found")
    assert [row["id"] for row in strange.get(POLICIES).json()["results"]] == [str(general.pk)]
    assert code(strange.delete(f"{POLICIES}/{general.pk}")) == (403, "permission_denied")
    assert RetentionPolicy.objects.count() == 2


def test_an_operator_decides_about_all_and_about_everybody(hana: User, oscar: User, api_for: ApiFor) -> None:
    client = api_for(oscar)
    general = client.post(POLICIES, {"category": "recordings", "purge_after_days": 365})
    assert (general.status_code, general.json()["organization"]) == (201, None)
    theirs = client.post(
        POLICIES, {"category": "recordings", "purge_after_days": 9, "organization": str(hana.organization_id)}
    )
    assert theirs.status_code == 201
    assert len(client.get(POLICIES).json()["results"]) == 2
    assert len(client.get(f"{POLICIES}?organization={uuid.uuid4()}").json()["results"]) == 1
    assert code(client.get(f"{POLICIES}?organization=x")) == (400, "validation_failed")
    assert client.delete(general["Location"]).status_code == 204


def test_the_preview_tells_what_would_happen_to_ones_own_files(hana: User, olga: User, api_for: ApiFor) -> None:
    policy(archive_after_days=30, purge_after_days=7)
    mine, soon = stored(days=31, tenant_id=of(hana)), stored(days=28, tenant_id=of(hana))
    stored(days=31, tenant_id=of(olga))
    gone = archived(days=8, tenant_id=of(hana))
    told = api_for(hana).get(f"{POLICIES}/preview?days=5").json()
    assert told["archive"]["now"] == {"files": 1, "bytes": len(WORDS)}
    assert told["archive"]["later"] == {"files": 1, "bytes": len(WORDS)}
    assert [row["file"] for row in told["archive"]["first"]] == [str(mine.pk), str(soon.pk)]
    assert (told["purge"]["now"]["files"], told["purge"]["first"][0]["file"]) == (1, str(gone.pk))
    assert told["days"] == 5
    assert api_for(hana).get(f"{POLICIES}/preview?category=minutes").json()["archive"]["now"]["files"] == 0
    assert StoredFile.objects.filter(state="purging").count() == 0


@pytest.mark.parametrize("query", ["days=-1", "days=x", "days=3651", "days=9999999999999", "category=x", "days=%00"])
def test_a_preview_of_nonsense_is_refused(hana: User, api_for: ApiFor, query: str) -> None:
    assert api_for(hana).get(f"{POLICIES}/preview?{query}").status_code == 400


def test_the_deletion_log_has_pages_and_each_organization_its_own(
    hana: User, olga: User, oscar: User, api_for: ApiFor
) -> None:
    policy(purge_after_days=7)
    mine = [archived(days=8, tenant_id=of(hana)) for _ in range(3)]
    archived(days=8, tenant_id=of(olga))
    applying.apply()
    client = api_for(hana)
    first = client.get("/api/v1/deletions?page_size=2").json()
    rest = client.get(first["next"]).json()
    rows = first["results"] + rest["results"]
    assert {row["file"] for row in rows} == {str(file.pk) for file in mine}
    assert (rows[0]["completed_at"], rows[0]["size"], rows[0]["sha256"]) == (None, len(WORDS), mine[0].sha256)
    assert rest["next"] is None
    assert client.get("/api/v1/deletions?category=minutes").json()["results"] == []
    assert len(api_for(oscar).get("/api/v1/deletions").json()["results"]) == 4


def test_a_hold_is_put_shown_and_lifted(hana: User, oscar: User, api_for: ApiFor) -> None:
    file = stored(tenant_id=of(hana))
    client, address = api_for(hana), f"/api/v1/files/{file.pk}/legal-hold"
    put = client.put(address, {"reason": "  Case 7  "})
    assert (put.status_code, put.json()["reason"], put.json()["is_operators"]) == (200, "Case 7", False)
    assert client.put(address, {"reason": "Case 7"}).json() == put.json()
    shown = api_for(oscar).get(f"/api/v1/files/{file.pk}").json()["legal_hold"]
    assert shown == put.json()
    assert client.delete(f"{address}?reason=Settled").status_code == 204
    assert client.delete(address).status_code == 204
    assert api_for(oscar).get(f"/api/v1/files/{file.pk}").json()["legal_hold"] is None
    kept = file.legal_holds.get()
    assert (kept.put_by, kept.lifted_by, kept.lifted_because) == (hana.pk, hana.pk, "Settled")
    told = AuditEvent.objects.filter(target_id=file.pk, action__in=["file.held", "file.released"])
    assert {event.action: event.data["reason"] for event in told} == {"file.held": "Case 7", "file.released": "Settled"}


def test_what_an_operator_holds_only_operators_release(hana: User, oscar: User, api_for: ApiFor) -> None:
    file = archived(tenant_id=of(hana))
    address = f"/api/v1/files/{file.pk}/legal-hold"
    assert api_for(oscar).put(address, {"reason": "A court order."}).json()["is_operators"] is True
    assert code(api_for(hana).delete(address)) == (403, "permission_denied")
    assert code(api_for(hana).put(address, {"reason": "Mine."})) == (403, "permission_denied")
    assert api_for(oscar).delete(address).status_code == 204
    assert api_for(hana).put(address, {"reason": "Mine."}).status_code == 200


def test_who_may_not_hold_a_file(hana: User, pavel: User, olga: User, auditor: User, api_for: ApiFor) -> None:
    file = stored(tenant_id=of(hana))
    address = f"/api/v1/files/{file.pk}/legal-hold"
    for who in (pavel, olga, auditor):
        assert code(api_for(who).put(address, {"reason": "x"})) == (404, "not_found"), "they do not see the file"
        assert code(api_for(who).delete(address)) == (404, "not_found")
    for body in ({}, {"reason": ""}, {"reason": 5}, {"reason": "a\nb"}, {"reason": "x" * 501}, {"why": "x"}):
        assert code(api_for(hana).put(address, body)) == (400, "validation_failed")
    assert code(api_for(hana).delete(f"{address}?reason={'x' * 501}")) == (400, "validation_failed")
    StoredFile.objects.filter(pk=file.pk).update(state="archived", archived_at=file.stored_at)
    purging.begin(file_id=file.pk, reason="A test.")
    assert code(api_for(hana).put(address, {"reason": "Too late."})) == (410, "file_purged")
    StoredFile.objects.filter(pk=file.pk).update(state="reserved", lease_token=uuid.uuid4(), lease_until=database_now())
    assert api_for(hana).put(address, {"reason": "x"}).status_code == 404


def test_the_admin_reads_the_log_and_puts_holds(oscar: User, client: Any) -> None:
    file = archived()
    policy(purge_after_days=7)
    client.force_login(oscar)
    page = "/admin/storage_sync/storedfile/"
    chosen = {"_selected_action": [str(file.pk)]}
    client.post(page, {**chosen, "action": "put_under_hold", "reason": ""})
    assert not file.legal_holds.exists(), "a hold needs a reason"
    client.post(page, {**chosen, "action": "put_under_hold", "reason": "A court order."})
    assert file.legal_holds.get().is_operators
    assert b"reason" in client.get(page).content
    for path in ("retentionpolicy/", "legalhold/", "deletion/"):
        assert client.get(f"/admin/storage_sync/{path}").status_code == 200
        assert client.get(f"/admin/storage_sync/{path}add/").status_code == 403
    client.post(page, {**chosen, "action": "lift_the_hold", "reason": "Over."})
    assert file.legal_holds.get().lifted_because == "Over."
    purging.begin(file_id=file.pk, reason="A test.")
    line = client.get("/admin/storage_sync/deletion/").content
    assert str(file.pk).encode() in line
    answer = client.post(page, {**chosen, "action": "put_under_hold", "reason": "Too late."}, follow=True)
    assert b"removed for good" in answer.content
