"""The Range header, by the table."""

from __future__ import annotations

import pytest

from storage_sync.ranges import ByteRange, UnsatisfiableError, asked_range


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, 90),
        ("bytes=99-", 99, 1),
        ("bytes=90-1000", 90, 10),
        ("bytes=-10", 90, 10),
        ("bytes=-1000", 0, 100),
        ("BYTES = 5-6", 5, 2),
        ("bytes=0-9999999999999999999", 0, 100),
    ],
)
def test_one_range_is_a_part(header: str, start: int, length: int) -> None:
    assert asked_range(header=header, size=100) == ByteRange(start, length, 100)


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes=--5",
     "bytes=1-2-3", "bytes=0x1-2", "bytes=" + "9" * 40 + "-"],
)  # fmt: skip
def test_nonsense_and_several_ranges_mean_the_whole(header: str) -> None:
    assert asked_range(header=header, size=100) is None


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0), ("bytes=-5", 0)])
def test_what_lies_behind_the_end_cannot_be_satisfied(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableError):
        asked_range(header=header, size=size)


def test_a_part_says_where_it_is() -> None:
    assert ByteRange(90, 10, 100).content_range == "bytes 90-99/100"
