"""What every node asks every minute is answered by an index, however large the ledger is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from storage_sync.inspecting import scrubbing
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import purging
from storage_sync.vocabulary import SideName
from tests.storage_sync.ledgers import fill

pytestmark = pytest.mark.django_db


def indexes(asked: QuerySet[Any]) -> set[str]:
    """By which indexes the database means to look; none may be a look at a whole table."""
    plan = asked.explain()
    assert "Seq Scan" not in plan, plan
    return set(re.findall(r"Scan (?:Backward )?(?:using|on) (\w+)", plan))


def test_what_is_asked_all_the_time_reads_no_table_from_end_to_end(settings: Settings) -> None:
    node = settings.STORAGE_NODE
    fill(files=20_000, node="another")
    some = Copy.objects.filter(side=SideName.LOCAL).values("pk")[:500]
    Copy.objects.filter(pk__in=some).update(node=node)
    StoredFile.objects.update(sha256="a" * 64)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE storage_sync_storedfile, storage_sync_copy")
    moving = StoredFile.objects.due_to_move().within_reach(node=node).order_by("other_key_until")
    assert "files_on_their_way" in indexes(moving[:200])
    following = Copy.objects.due_on(node=node).select_related("file").order_by("next_attempt_at")
    assert "copies_due_on_a_node" in indexes(following.filter(file__state__in=["stored", "archived"])[:500])
    here = scrubbing.readable_copies(side=SideName.LOCAL, node=node)
    assert "copies_of_a_place_by_proof" in indexes(here[:1])
    # Every other copy is one of the Space: in the order of all copies it is found as soon.
    there = scrubbing.readable_copies(side=SideName.CLOUD, node="")
    assert {"copies_of_a_place_by_proof", "copies_by_age_of_proof"} & indexes(there[:1])


def test_purges_are_carried_on_without_a_look_at_what_was_purged_before(settings: Settings) -> None:
    fill(files=20_000, node=settings.STORAGE_NODE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE storage_sync_storedfile SET state = 'purged', purged_at = now() WHERE size % 10 = 0")
        cursor.execute(
            "UPDATE storage_sync_copy SET state = 'missing' WHERE file_id IN "
            "(SELECT id FROM storage_sync_storedfile WHERE state = 'purged')"
        )
        cursor.execute("ANALYZE storage_sync_storedfile, storage_sync_copy")
    with CaptureQueriesContext(connection) as asked:
        assert purging.carry_on() == {}
    assert len(asked.captured_queries) >= 3
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert not re.search(r"Seq Scan on storage_sync_(copy|storedfile)", plan), plan
