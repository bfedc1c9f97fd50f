from __future__ import annotations

from typing import Any

import pytest

from chatvista.foundation.problems import Problem
from meetings.readers.contracts import SaidLine
from meetings.readers.structured import read_segments

GOOD = {"speaker": "Hana", "start_ms": 0, "end_ms": 900, "text": " Hello "}


def test_segments_keep_their_order_and_their_number() -> None:
    later, earlier = GOOD | {"start_ms": 800}, GOOD | {"speaker": None}
    assert read_segments([later, earlier]) == (SaidLine("Hana", 800, 900, "Hello"), SaidLine("", 0, 900, "Hello"))


@pytest.mark.parametrize(
    ("segment", "field"),
    [
        ("Hello", "segments.0"),
        (None, "segments.0"),
        (GOOD | {"text": 5}, "segments.0.text"),
        ({"speaker": "Hana", "start_ms": 0, "end_ms": 1}, "segments.0.text"),
        (GOOD | {"speaker": ["Hana"]}, "segments.0.speaker"),
        (GOOD | {"speaker": "x" * 201}, "segments.0"),
        (GOOD | {"start_ms": -1}, "segments.0.start_ms"),
        (GOOD | {"start_ms": True}, "segments.0.start_ms"),
        (GOOD | {"start_ms": "0"}, "segments.0.start_ms"),
        (GOOD | {"end_ms": 0.5}, "segments.0.end_ms"),
        (GOOD | {"start_ms": 901}, "segments.0"),
        (GOOD | {"end_ms": 10**30}, "segments.0"),
        (GOOD | {"text": "x" * 20_001}, "segments.0"),
        (GOOD | {"mood": "good"}, "segments.0.mood"),
    ],
)
def test_what_is_wrong_with_a_segment_is_said_by_member(segment: Any, field: str) -> None:
    with pytest.raises(Problem) as caught:
        read_segments([segment])
    assert (caught.value.status, list(caught.value.fields)) == (400, [field])


@pytest.mark.parametrize("value", [None, [], {}, "x", [GOOD] * 50_001])
def test_there_is_at_least_one_segment_and_at_most_fifty_thousand(value: Any) -> None:
    with pytest.raises(Problem):
        read_segments(value)
