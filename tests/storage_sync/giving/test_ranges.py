"""The Range header, by the table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage_sync.giving.ranges import ByteRange, UnsatisfiableError, asked_range, is_same


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
        ("bytes=0-" + "9" * 40, 0, 100),
        ("bytes=90-" + "9" * 20_000, 90, 10),
        ("bytes=-" + "9" * 20_000, 0, 100),
        ("bytes=" + "0" * 5_000 + "5-" + "0" * 5_000 + "6", 5, 2),
        ("bytes=99-99", 99, 1),
        ("bytes=5-6,", 5, 2),
        ("bytes=, ,\t5-6 ,", 5, 2),
    ],
)
def test_one_range_is_a_part(header: str, start: int, length: int) -> None:
    assert asked_range(header=header, size=100) == ByteRange(start, length, 100)


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes=--5",
     "bytes=1-2-3", "bytes=0x1-2", "bytes=1_0-20", "bytes=+1-2", "bytes=\u0661-\u0662", "bytes=1 -2", "bytes=,,",
     "bytes=" + "9" * 40 + "-" + "9" * 39, "bytes=50-0049", "bytes=0-1,200-", "x-bytes=0-1", "bytes 0-1"],
)  # fmt: skip
def test_nonsense_and_several_ranges_mean_the_whole(header: str) -> None:
    assert asked_range(header=header, size=100) is None


@pytest.mark.parametrize(
    ("header", "size"),
    [
        ("bytes=100-", 100),
        ("bytes=-0", 100),
        ("bytes=0-", 0),
        ("bytes=-5", 0),
        ("bytes=" + "9" * 40 + "-", 100),
        ("bytes=" + "9" * 20_000 + "-" + "9" * 20_001, 100),
        ("bytes=101-101", 100),
    ],
)
def test_what_lies_behind_the_end_cannot_be_satisfied(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableError):
        asked_range(header=header, size=size)


def test_a_part_says_where_it_is() -> None:
    assert ByteRange(90, 10, 100).content_range == "bytes 90-99/100"


@given(first=st.integers(0, 300), last=st.integers(0, 300), size=st.integers(0, 200), zeros=st.integers(0, 25))
def test_a_range_gives_the_bytes_that_it_names(first: int, last: int, size: int, zeros: int) -> None:
    data = bytes(index % 251 for index in range(size))
    header = f"bytes={'0' * zeros}{first}-{'0' * zeros}{last}"
    if last < first:
        assert asked_range(header=header, size=size) is None
        return
    if first >= size:
        with pytest.raises(UnsatisfiableError):
            asked_range(header=header, size=size)
        return
    part = asked_range(header=header, size=size)
    assert part is not None
    assert data[part.start : part.start + part.length] == data[first : last + 1]


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ('"tag"', True),
        ('W/"tag"', False),
        ('"other"', False),
        ("tag", False),
        ("Sun, 06 Nov 1994 08:49:37 GMT", True),
        ("Sunday, 06-Nov-94 08:49:37 GMT", True),
        ("Sun Nov  6 08:49:37 1994", True),
        ("Sun, 06 Nov 1994 08:49:38 GMT", False),
        ("Sun, 06 Nov 1994 08:49:36 GMT", False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_if_range_is_an_exact_comparison(condition: str, verdict: bool) -> None:
    assert is_same(condition=condition, etag='"tag"', last_modified=784111777) is verdict
