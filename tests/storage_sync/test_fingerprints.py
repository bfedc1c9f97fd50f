"""One pass over the bytes gives what two independent ones would."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage_sync import fingerprints

PART = fingerprints.PART_BYTES


def naive_composite(data: bytes) -> str:
    parts = [data[at : at + PART] for at in range(0, len(data), PART)] or [b""]
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 5])
def test_the_composite_is_the_etag_of_parts_of_16_mib(size: int) -> None:
    data = bytes(size)
    taking = fingerprints.Fingerprinting()
    taking.update(data)
    assert taking.result().composite_md5 == naive_composite(data)


@given(chunks=st.lists(st.binary(max_size=300), max_size=20))
@settings(max_examples=50, deadline=None)
def test_how_the_bytes_are_cut_does_not_matter(chunks: list[bytes]) -> None:
    taking = fingerprints.Fingerprinting()
    for chunk in chunks:
        taking.update(chunk)
    whole = b"".join(chunks)
    found = taking.result()
    assert (found.size, found.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert found.etags == {hashlib.md5(whole).hexdigest(), naive_composite(whole)}


def test_parts_may_be_left_out() -> None:
    taking = fingerprints.Fingerprinting(with_parts=False)
    taking.update(bytes(PART + 1))
    found = taking.result()
    assert found.composite_md5 == ""
    assert found.etags == frozenset({hashlib.md5(bytes(PART + 1)).hexdigest()})
    assert list(taking.all_part_md5s()) == [b"", b""]


def test_a_file_on_disk_has_the_same_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"abc" * 1_000_000)
    taking = fingerprints.Fingerprinting()
    taking.update(path.read_bytes())
    assert fingerprints.of_path(path) == taking.result()
    assert fingerprints.sha256_of_path(path) == taking.result().sha256
