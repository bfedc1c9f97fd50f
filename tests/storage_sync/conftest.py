"""What tests of reading start with: a Space that fails on request, and a file that only the Space has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from storage_sync.models import StoredFile
from tests.fakes.s3_faults import FaultySpace
from tests.storage_sync.making import WORDS, on_disk, store


@pytest.fixture
def faulty(settings: Settings) -> Iterator[FaultySpace]:
    with FaultySpace(upstream=settings.SPACES_ENDPOINT) as faults:
        settings.SPACES_ENDPOINT = faults.url
        yield faults


@pytest.fixture
def away_from_here(storeroom: Path, faulty: FaultySpace) -> StoredFile:
    """A file that only the Space has."""
    file = store(WORDS * 20)
    on_disk(file).unlink()
    faulty.forget()
    return file
