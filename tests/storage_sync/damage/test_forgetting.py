"""What was put aside of a key is forgotten when all of it is known, and that takes no longer than there is time."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from chatvista.foundation.problems import TransientError
from storage_sync.damage import forgetting, quarantining
from storage_sync.damage.forgetting import PutAside
from storage_sync.sides.cloud import CloudSide
from tests.storage_sync.making import WORDS, put_in_cloud, space


def aside(key: str) -> str:
    name = quarantining.quarantine_key(key, at_ns=time.time_ns())
    put_in_cloud(name, WORDS)
    return name


@pytest.fixture
def two_pages(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    """A key of which something was put aside on each page of the list; the names of these."""
    key = f"recordings/2026/11/{uuid.uuid4()}/{'a' * 32}.flac"
    really = CloudSide.page

    def one_by_one(side: CloudSide, **asked: Any) -> Any:
        return really(side, **asked, limit=1)

    monkeypatch.setattr(CloudSide, "page", one_by_one)
    return key, [aside(key), aside(key)]


def test_a_list_that_takes_too_long_ends_and_claims_nothing(
    two_pages: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, names = two_pages
    monkeypatch.setattr(forgetting, "LONGEST_SECONDS", 0.2)
    known, really = PutAside(space()), CloudSide.page

    def slowly(side: CloudSide, **asked: Any) -> Any:
        time.sleep(0.3)
        return really(side, **asked)

    monkeypatch.setattr(CloudSide, "page", slowly)
    for _ in range(2):
        with pytest.raises(TransientError, match="quarantine_not_listed"):
            known.forget(key)
    assert all(space().head(key=name) for name in names), "half of them gone would look like all"


def test_a_page_that_fails_is_asked_for_again(
    two_pages: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, names = two_pages
    known, really, asked_after = PutAside(space()), CloudSide.page, list[Any]()

    def failing(side: CloudSide, **asked: Any) -> Any:
        asked_after.append(asked["after"])
        if len(asked_after) == 2:
            raise TransientError("cloud_unavailable", "Away.")
        return really(side, **asked)

    monkeypatch.setattr(CloudSide, "page", failing)
    with pytest.raises(TransientError, match="cloud_unavailable"):
        known.forget(key)
    known.forget(key)
    assert asked_after[1] == asked_after[2] == names[0], "and no other"
    assert [space().head(key=name) for name in names] == [None, None]
