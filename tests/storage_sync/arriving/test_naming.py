"""A Space that names objects by the MD5 of the whole is sent no MD5s of parts; what it keeps is proven all the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import pytest

from storage_sync.fingerprints import PART_BYTES
from storage_sync.sides import multiparts
from storage_sync.sides.connecting import Space, configured_space
from storage_sync.sides.multiparts import Multipart
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.storage_sync.arriving.test_forwarding import faulty, require_whole, take
from tests.storage_sync.making import names_below, space

__all__ = ["faulty"]
pytestmark = pytest.mark.django_db
DATA = os.urandom(PART_BYTES + 4_321)


def test_the_first_large_file_teaches_it(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really, promised = Multipart.put, []

    def put(upload: Multipart, *, number: int, source: BinaryIO, md5: bytes) -> str:
        promised.append(bool(md5))
        return really(upload, number=number, source=source, md5=md5)

    monkeypatch.setattr(Multipart, "put", put)
    first, second = take(DATA), take(DATA)
    require_whole(first, DATA)
    require_whole(second, DATA)
    assert promised == [True, True, False, False]
    assert (bool(first.composite_md5), second.composite_md5, second.md5) == (True, "", first.md5)


def test_a_part_that_changed_on_its_way_is_found_by_the_whole(faulty: FaultySpace, storeroom: Path) -> None:
    take(DATA)
    assert multiparts.names_by_whole(faulty_space())
    faulty.inject(Fault("flip_request", method="PUT", query={"partNumber": "1"}, at=70_000, times=1))
    file = take(DATA)
    assert any(seen.fault == "flip_request" for seen in faulty.requests("PUT"))
    require_whole(file, DATA)
    assert len(names_below(storeroom / "recordings")) == 2
    assert len(list(space().page(prefix="recordings/").found)) == 2


def faulty_space() -> Space:
    configured = configured_space()
    assert configured is not None
    return configured


def test_a_space_that_names_by_parts_is_sent_them_for_ever(storeroom: Path) -> None:
    here = space().space
    for _ in range(2):
        multiparts.learn_naming(here, etag=f"{'0' * 32}-2", md5="1" * 32)
        assert not multiparts.names_by_whole(here)
    multiparts.learn_naming(here, etag="1" * 32, md5="1" * 32)
    assert multiparts.names_by_whole(here)
    multiparts.learn_naming(here, etag=f"{'0' * 32}-2", md5="1" * 32)
    assert not multiparts.names_by_whole(here)
