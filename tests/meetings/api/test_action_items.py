from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from meetings import assigning, inviting
from meetings.models import ActionItem, Meeting, Minutes, MinutesItem
from tests.meetings import making
from tests.meetings.racing import race

pytestmark = pytest.mark.django_db
ITEMS = "/api/v1/action-items"


@pytest.fixture
def minutes(meeting: Meeting, hana: User) -> Minutes:
    """Finished minutes with one action item."""
    return making.minutes_of(meeting, hana)


@pytest.fixture
def item(minutes: Minutes) -> str:
    """The address of that item."""
    return f"{ITEMS}/{minutes.items.get(section='action_items').pk}"


def test_an_item_can_be_given_to_a_participant_and_finished(
    as_pavel: APIClient, meeting: Meeting, minutes: Minutes, item: str, pavel: User
) -> None:
    participant = str(meeting.participants.get(user=pavel).pk)
    answer = as_pavel.patch(item, {"owner": participant, "due_on": "2026-12-24", "status": "done", "text": "Ship it"})
    assert answer.status_code == 200
    given = answer.json()
    assert given["owner"] == {"participant": participant, "name": "Pavel"}
    assert (given["due_on"], given["status"], given["text"]) == ("2026-12-24", "done", "Ship it")
    assert (given["meeting"], given["minutes"], len(given["evidence"])) == (str(meeting.pk), str(minutes.pk), 1)
    assert as_pavel.get(item).json() == given
    minutes.refresh_from_db()
    assert minutes.revision == 2


@pytest.mark.parametrize(
    ("change", "name", "is_participant"),
    [
        ({"owner_name": "pavel"}, "Pavel", True),
        ({"owner_name": "The caterer"}, "The caterer", False),
    ],
)
def test_a_name_is_matched_to_a_participant_else_kept(
    as_hana: APIClient, item: str, change: dict[str, Any], name: str, *, is_participant: bool
) -> None:
    owner = as_hana.patch(item, change).json()["owner"]
    assert (owner["name"], owner["participant"] is not None) == (name, is_participant)
    assert as_hana.patch(item, {"owner": None}).json()["owner"] is None


WRONG: dict[str, list[Any]] = {
    "owner": ["x", 5, [], "00000000-0000-7000-8000-000000000000"],
    "owner_name": [5, None, "x" * 201],
    "due_on": ["soon", 5, "2026-13-01", "2026-12-01T00:00:00Z", []],
    "status": ["lost", 5, None, ""],
    "text": [5, None, "", "x" * 2001],
    "id": ["x"],
    "evidence": ["x"],
    "meeting": ["x"],
    "colour": ["x"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_what_is_no_change_is_refused_by_field(as_hana: APIClient, item: str, field: str, value: Any) -> None:
    before = as_hana.get(item).json()
    answer = as_hana.patch(item, {field: value})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert as_hana.get(item).json() == before


def test_an_item_has_one_owner(as_hana: APIClient, meeting: Meeting, item: str) -> None:
    owner = str(meeting.participants.get(name="Pavel").pk)
    assert as_hana.patch(item, {"owner": owner, "owner_name": "Hana"}).status_code == 400


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("", ["Theirs", "Mine"]),
        ("?owner=me", ["Mine"]),
        ("?owner=PAVEL", ["Mine"]),
        ("?status=done", ["Theirs"]),
        ("?due_before=2026-11-30", ["Mine"]),
        ("?due_after=2026-12-01", ["Theirs"]),
        ("?meeting=MEETING&status=open", ["Mine"]),
        ("?meeting=00000000-0000-7000-8000-000000000000", []),
    ],
)
def test_items_are_filtered(as_pavel: APIClient, meeting: Meeting, hana: User, query: str, texts: list[str]) -> None:
    participant = meeting.participants.get(name="Pavel")
    making.minutes_of(meeting, hana, actions=2)
    mine, theirs = MinutesItem.objects.filter(section="action_items").order_by("position")
    as_pavel.patch(f"{ITEMS}/{mine.pk}", {"text": "Mine", "owner": str(participant.pk), "due_on": "2026-11-30"})
    as_pavel.patch(f"{ITEMS}/{theirs.pk}", {"text": "Theirs", "status": "done"})
    asked = query.replace("PAVEL", str(participant.pk)).replace("MEETING", str(meeting.pk))
    assert [each["text"] for each in as_pavel.get(f"{ITEMS}{asked}").json()["results"]] == texts


@pytest.mark.parametrize("query", ["owner=you", "meeting=x", "status=lost", "due_after=soon", "minutes=5"])
def test_a_filter_that_means_nothing_is_refused(as_hana: APIClient, item: str, query: str) -> None:
    assert as_hana.get(f"{ITEMS}?{query}").status_code == 400


def test_only_the_newest_minutes_count_unless_others_are_named(
    as_hana: APIClient, meeting: Meeting, minutes: Minutes, hana: User
) -> None:
    newer = making.minutes_of(meeting, hana)
    assert [each["minutes"] for each in as_hana.get(ITEMS).json()["results"]] == [str(newer.pk)]
    named = as_hana.get(f"{ITEMS}?minutes={minutes.pk}").json()["results"]
    assert [each["minutes"] for each in named] == [str(minutes.pk)]


def test_the_list_takes_the_same_queries_whatever_its_length(
    as_hana: APIClient, meeting: Meeting, hana: User, django_assert_num_queries: Any
) -> None:
    participant = meeting.participants.get(name="Pavel")
    for actions in (1, 12):
        making.minutes_of(meeting, hana, actions=actions, owner=participant)
        with django_assert_num_queries(3):
            assert len(as_hana.get(ITEMS).json()["results"]) == actions


def test_who_sees_and_who_changes(as_olga: APIClient, as_pavel: APIClient, meeting: Meeting, item: str) -> None:
    assert as_olga.get(ITEMS).json()["results"] == []
    assert as_olga.get(item).status_code == 404
    assert as_olga.patch(item, {"status": "done"}).status_code == 404
    meeting.participants.filter(name="Pavel").update(role="observer")
    assert as_pavel.get(item).status_code == 200
    assert as_pavel.patch(item, {"status": "done"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_an_owner_who_is_let_go_meanwhile_is_no_fault_of_the_server(
    hana: User, meeting: Meeting, minutes: Minutes, pavel: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    participant = meeting.participants.get(user=pavel)
    find = assigning._owner
    found = threading.Event()

    def find_slowly(**given: Any) -> Any:
        owner = find(**given)
        found.set()
        time.sleep(0.5)
        return owner

    def let_go() -> None:
        found.wait(5)
        inviting.remove_participant(user=hana, participant=participant)

    monkeypatch.setattr(assigning, "_owner", find_slowly)
    item = ActionItem.objects.get(minutes=minutes, section="action_items")
    changes = {"owner": participant.pk}
    given, gone = race([lambda: assigning.change_action_item(user=hana, item=item, changes=changes), let_go])
    assert (given.owner_name, gone) == ("Pavel", None)
    kept = MinutesItem.objects.get(pk=item.pk)
    assert (kept.owner, kept.owner_name) == (None, "Pavel")
