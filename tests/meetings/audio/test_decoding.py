from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from chatvista.foundation.problems import PermanentError
from meetings.audio.decoding import RATE, Samples, blocks, whole
from tests.meetings.audio.making import SOUNDS, write_picture_only, write_sound

AT = [0.5, 7.25, 19.0, 33.1, 47.7, 58.5]


def onset_s(samples: Samples) -> float:
    return float(np.argmax(np.abs(samples) > 0.1)) / RATE


def loudness(samples: Samples) -> Samples:
    frames = samples[: int(11.9 * RATE) // 480 * 480].reshape(-1, 480)
    return np.asarray(np.sqrt((frames**2).mean(axis=1)))


@pytest.mark.parametrize("kind", sorted(SOUNDS))
def test_a_span_holds_what_was_sounding_at_its_time(tmp_path: Path, kind: str) -> None:
    media = write_sound(tmp_path / f"a.{kind}", kind=kind, seconds=60, at=AT, noise=0.003)
    for moment in AT:
        start_ms = max(0, int(moment * 1000) - 400)
        samples = whole(media, start_ms=start_ms, end_ms=start_ms + 1000)
        assert len(samples) == RATE
        assert start_ms / 1000 + onset_s(samples) == pytest.approx(moment, abs=0.03)


@pytest.mark.parametrize("vbr", [True, False])
def test_a_variable_rate_mp3_without_an_index_keeps_its_clock(tmp_path: Path, vbr: bool) -> None:
    at = [10.0, 250.0, 299.0]
    media = write_sound(tmp_path / "a.mp3", kind="mp3", seconds=300, at=at, vbr=vbr, headless=True)
    for moment in at:
        samples = whole(media, start_ms=int(moment * 1000) - 500, end_ms=int(moment * 1000) + 500)
        assert 0.5 - onset_s(samples) == pytest.approx(0, abs=0.04)


@pytest.mark.parametrize("kind", sorted(SOUNDS))
def test_spans_laid_side_by_side_are_the_whole(tmp_path: Path, kind: str) -> None:
    media = write_sound(tmp_path / f"a.{kind}", kind=kind, seconds=12, at=[1, 4.9, 9.5], noise=0.01)
    everything = np.concatenate(list(blocks(media)))
    cuts = [0, 3210, 5005, 9999, 60_000]
    parts = [whole(media, start_ms=a, end_ms=b) for a, b in pairwise(cuts)]
    joined = np.concatenate(parts)
    assert abs(len(everything) / RATE - 12) < 0.1
    assert abs(len(joined) - len(everything)) <= 48
    # Lossy codecs settle differently after a seek, and WebM counts whole milliseconds: what must agree is the picture
    # of the sound, not its samples.
    assert np.corrcoef(loudness(joined), loudness(everything))[0, 1] > 0.98


@pytest.mark.parametrize("kind", ["m4a", "weba"])
def test_sound_beside_a_picture_is_read_at_its_time(tmp_path: Path, kind: str) -> None:
    media = write_sound(tmp_path / "a.bin", kind=kind, seconds=30, at=[12.0, 25.0], picture=True)
    for moment in (12.0, 25.0):
        samples = whole(media, start_ms=int(moment * 1000) - 500, end_ms=int(moment * 1000) + 500)
        assert 0.5 - onset_s(samples) == pytest.approx(0, abs=0.03)


def test_a_span_after_the_end_is_empty(tmp_path: Path) -> None:
    media = write_sound(tmp_path / "a.opus", kind="opus", seconds=3)
    assert len(whole(media, start_ms=9_000, end_ms=12_000)) == 0


def test_blocks_stay_small_whatever_the_length(tmp_path: Path) -> None:
    media = write_sound(tmp_path / "a.flac", kind="flac", seconds=120)
    assert max(len(block) for block in blocks(media)) <= RATE


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    media = write_picture_only(tmp_path / "a.mp4", seconds=2)
    with pytest.raises(PermanentError) as caught:
        whole(media, start_ms=0, end_ms=1000)
    assert caught.value.code == "no_audio_track"


def test_text_is_unreadable_media(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("not a film\n" * 100)
    with pytest.raises(PermanentError) as caught:
        whole(tmp_path / "a.mp4", start_ms=0, end_ms=1000)
    assert caught.value.code == "media_unreadable"


def test_a_damaged_stretch_is_left_out_and_the_clock_goes_on(tmp_path: Path) -> None:
    media = write_sound(tmp_path / "a.opus", kind="opus", seconds=30, at=[5.0, 28.0], noise=0.01)
    data = bytearray(media.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = b"\x00" * 4000
    media.write_bytes(data)
    samples = whole(media, start_ms=27_500, end_ms=28_500)
    assert onset_s(samples) == pytest.approx(0.5, abs=0.05)
