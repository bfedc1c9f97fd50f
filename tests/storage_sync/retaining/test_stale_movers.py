"""A mover that was away for longer than its lease empties no place that has become the file's own again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from storage_sync.models import StoredFile
from storage_sync.retaining import archiving
from storage_sync.sides.cloud import CloudSide
from tests.storage_sync.making import WORDS, on_disk, space, store

pytestmark = pytest.mark.django_db


def test_what_a_stale_mover_would_delete_stays(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()
    archiving.archive(file)
    archiving.move_archived()
    StoredFile.objects.update(other_key_until=Now())
    real = CloudSide.head
    has_been_away: list[bool] = []

    def away(side: CloudSide, *, key: str) -> Any:
        found = real(side, key=key)
        if not has_been_away:
            # While this answer comes the lease runs out, the file is restored, and another mover brings it back.
            has_been_away.append(True)
            StoredFile.objects.update(lease_until=in_seconds(-1))
            archiving.restore(StoredFile.objects.get())
            assert archiving.move_archived()["moved"] == 1
        return found

    monkeypatch.setattr(CloudSide, "head", away)
    assert archiving.move_archived()["taken_over"] == 1
    file.refresh_from_db()
    assert file.state == "stored"
    assert not file.key.startswith("archive/")
    assert b"".join(space().read(key=file.key)) == WORDS
    archiving.move_archived()
    assert on_disk(file).read_bytes() == WORDS
