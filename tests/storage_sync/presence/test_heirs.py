"""What a disk under a new name takes along is looked at as if for the first time, and not lost before that."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from storage_sync.damage import losing
from storage_sync.disk import verifying
from storage_sync.giving import reading
from storage_sync.models import Copy, Node, StoredFile
from storage_sync.presence import nodes
from tests.storage_sync.making import WORDS, store

pytestmark = pytest.mark.django_db


def test_attempts_of_the_old_name_do_not_count_under_the_new_one(storeroom: Path, settings: Settings) -> None:
    settings.DISK_DURABLE, settings.STORAGE_NODE = True, "here"
    file = store()
    nodes.beat(nodes.Presence())
    Copy.objects.filter(file=file, side="cloud").update(state="missing")
    # Attempts of long ago, before the copy was made or when it was read wrong for a while.
    Copy.objects.filter(file=file, side="local").update(attempts=7, error="I/O error")
    settings.STORAGE_NODE = "new-name"
    nodes.beat(nodes.Presence())
    Node.objects.filter(name="here").update(heartbeat_at=in_seconds(-settings.NODE_DEAD_SECONDS - 1))
    assert nodes.bury_dead() == ["here"]
    inherited = Copy.objects.get(file=file, side="local")
    assert (inherited.node, inherited.state, inherited.attempts, inherited.error) == ("new-name", "missing", 0, "")
    assert not losing.mark_lost(file_id=file.pk), "nobody has looked at that disk under its new name yet"
    verifying.forget_everything()
    assert reading.local_path(StoredFile.objects.get(pk=file.pk)).read_bytes() == WORDS
