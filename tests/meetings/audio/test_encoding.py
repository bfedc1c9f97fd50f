from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from meetings.audio.decoding import RATE, whole
from meetings.audio.encoding import encode
from meetings.audio.probing import probe
from meetings.gateways.contracts import Span
from tests.meetings.audio.making import write_sound


def test_a_span_becomes_a_small_ogg_with_the_same_sound(tmp_path: Path) -> None:
    media = write_sound(tmp_path / "a.flac", kind="flac", seconds=60, at=[20.5, 41.0], noise=0.01)
    into = io.BytesIO()
    assert encode(media, span=Span(20_000, 50_000), into=into) == 30_000
    probed = probe(into)
    assert (probed.media_type, probed.channels) == ("audio/ogg", 1)
    assert probed.duration_ms == pytest.approx(30_000, abs=50)
    assert len(into.getvalue()) < 30 * 6_000
    heard = whole(into, start_ms=0, end_ms=2_000)
    assert float(np.argmax(np.abs(heard) > 0.15)) / RATE == pytest.approx(0.5, abs=0.03)


def test_ten_minutes_would_stay_far_below_the_limit_of_the_api(tmp_path: Path) -> None:
    media = write_sound(tmp_path / "a.flac", kind="flac", seconds=60, at=range(60), noise=0.05)
    into = io.BytesIO()
    encode(media, span=Span(0, 60_000), into=into)
    assert len(into.getvalue()) * 10 < 5_000_000


def test_a_span_after_the_end_has_no_length(tmp_path: Path) -> None:
    media = write_sound(tmp_path / "a.flac", kind="flac", seconds=2)
    assert encode(media, span=Span(5_000, 6_000), into=io.BytesIO()) == 0
