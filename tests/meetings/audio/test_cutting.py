from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.audio.cutting import FRAME_MS, Energies, energies, spans
from meetings.gateways.contracts import Span
from tests.meetings.audio.making import write_sound


@settings(max_examples=200, deadline=None)
@given(
    frames=st.lists(st.floats(0, 1, width=32), max_size=600),
    rest_ms=st.integers(0, FRAME_MS - 1),
    longest_ms=st.integers(1, 20_000),
)
def test_spans_cover_everything_once_and_none_is_too_long(frames: list[float], rest_ms: int, longest_ms: int) -> None:
    duration_ms = max(0, len(frames) * FRAME_MS - rest_ms)
    found = spans(Energies(np.array(frames, dtype=np.float32), duration_ms), longest_ms=longest_ms)
    if duration_ms == 0:
        assert found == ()
        return
    assert found[0].start_ms == 0
    assert found[-1].end_ms == duration_ms
    assert all(left.end_ms == right.start_ms for left, right in pairwise(found))
    assert all(0 < span.end_ms - span.start_ms <= longest_ms for span in found)


def test_a_short_recording_is_one_span() -> None:
    loud = Energies(np.ones(100, dtype=np.float32), 2000)
    assert spans(loud, longest_ms=2000) == (Span(0, 2000),)


def test_cuts_fall_into_pauses() -> None:
    frames = np.full(60_000 // FRAME_MS, 0.3, dtype=np.float32)
    pauses = [(8_000, 9_000), (16_500, 17_300), (25_000, 25_900), (33_000, 34_000), (41_000, 42_000), (50_000, 51_000)]
    for left, right in pauses:
        frames[left // FRAME_MS : right // FRAME_MS] = 0.001
    cuts = [span.end_ms for span in spans(Energies(frames, 60_000), longest_ms=10_000)][:-1]
    assert cuts
    assert all(any(left < cut < right for left, right in pauses) for cut in cuts)


def test_the_last_span_is_never_a_sliver() -> None:
    for duration_ms in range(10_001, 40_000, 777):
        loud = Energies(np.ones(duration_ms // FRAME_MS + 1, dtype=np.float32), duration_ms)
        assert min(span.end_ms - span.start_ms for span in spans(loud, longest_ms=10_000)) > 2_000


@pytest.mark.parametrize("kind", ["flac", "opus", "mp3"])
def test_loudness_is_read_from_a_file(tmp_path: Path, kind: str) -> None:
    told: list[float] = []
    media = write_sound(tmp_path / "a", kind=kind, seconds=130, at=[1.0, 70.0])
    found = energies(media, duration_ms=130_000, progress=told.append)
    assert found.duration_ms == pytest.approx(130_000, abs=100)
    assert abs(len(found.frames) * FRAME_MS - found.duration_ms) < FRAME_MS
    assert found.frames[71_100 // FRAME_MS] < 0.01 < found.frames[70_100 // FRAME_MS]
    assert told == sorted(told)
    assert 0.4 < told[0] < 0.5


def test_progress_may_stop_the_reading(tmp_path: Path) -> None:
    media = write_sound(tmp_path / "a", kind="flac", seconds=130)

    def lost(_: float) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        energies(media, duration_ms=130_000, progress=lost)


def test_a_limit_that_is_no_limit_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="positive"):
        spans(Energies(np.ones(10, dtype=np.float32), 200), longest_ms=0)
