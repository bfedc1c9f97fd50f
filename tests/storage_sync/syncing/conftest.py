"""A Space that can be hurt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.fakes.s3_faults import FaultySpace


@pytest.fixture
def faulty(storeroom: Path, settings: Settings) -> Iterator[FaultySpace]:
    """Between us and the real S3 server; `storeroom` empties the bucket past it."""
    upstream = settings.SPACES_ENDPOINT
    with FaultySpace(upstream=upstream) as space:
        settings.SPACES_ENDPOINT = space.url
        yield space
        settings.SPACES_ENDPOINT = upstream
