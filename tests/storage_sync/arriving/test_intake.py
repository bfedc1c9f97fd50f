"""Taking bytes in: bounded before the first byte and while they come, and never half."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem
from storage_sync.arriving.receiving import Intake
from tests.storage_sync.making import names_below, take_in


@pytest.mark.parametrize(
    ("wanted", "code", "status"),
    [
        ({"largest": 10, "announced_size": 11}, "body_too_large", 413),
        ({"largest": 10, "allowance": 5, "announced_size": 6}, "quota_exceeded", 413),
        ({"largest": 10, "allowance": -5, "announced_size": 1}, "quota_exceeded", 413),
    ],
)
def test_what_is_announced_too_large_is_refused_before_a_byte(
    storeroom: Path, wanted: dict[str, Any], code: str, status: int
) -> None:
    with pytest.raises(Problem) as caught, Intake(category="recordings", **wanted):
        pytest.fail("the body would have been read")
    assert (caught.value.code, caught.value.status) == (code, status)
    assert names_below(storeroom) == []


def test_a_disk_below_its_reserve_takes_nothing(storeroom: Path, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 2**60
    with pytest.raises(Problem) as caught, Intake(category="recordings", largest=10):
        pytest.fail("the body would have been read")
    assert (caught.value.code, caught.value.status) == ("disk_full", 507)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [({"largest": 1000}, "body_too_large"), ({"largest": 10**6, "allowance": 999}, "quota_exceeded")],
)
def test_what_turns_out_too_large_is_refused_while_it_comes(storeroom: Path, wanted: dict[str, Any], code: str) -> None:
    with pytest.raises(Problem) as caught:
        take_in(*[b"x" * 100] * 11, **wanted)
    assert caught.value.code == code
    assert caught.value.status == 413
    assert names_below(storeroom) == []


@pytest.mark.parametrize(
    ("sent", "wanted", "code"),
    [
        (b"", {}, "empty_body"),
        (b"", {"announced_size": 0}, "empty_body"),
        (b"abc", {"announced_size": 4}, "size_mismatch"),
        (b"abc", {"announced_size": 2}, "size_mismatch"),
        (b"abc", {"expected_sha256": "0" * 64}, "digest_mismatch"),
    ],
)
def test_what_is_not_what_was_announced_is_400(storeroom: Path, sent: bytes, wanted: dict[str, Any], code: str) -> None:
    with pytest.raises(Problem) as caught:
        take_in(*([sent] if sent else []), largest=100, **wanted)
    assert (caught.value.code, caught.value.status) == (code, 400)
    assert names_below(storeroom) == []


def test_a_right_digest_in_capitals_is_right(storeroom: Path) -> None:
    digest = hashlib.sha256(b"abc").hexdigest().upper()
    with Intake(category="recordings", largest=10, expected_sha256=digest) as intake:
        intake.write(memoryview(b"abc"))
        assert intake.land().sha256 == digest.lower()
    assert names_below(storeroom) == []


def test_leaving_without_receiving_removes_the_bytes(storeroom: Path) -> None:
    with Intake(category="recordings", largest=10) as intake:
        intake.write(b"abc")
        assert intake.land().path.exists()
    assert names_below(storeroom) == []
