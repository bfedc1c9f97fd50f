"""Samples of a recording: 16 kHz, one channel, in small blocks, each at its exact place in the recording.

The recording's zero is where a player's clock starts (the earliest track), so a position in a transcript is the
position one seeks to. Where a track pauses, blocks of silence keep the clock right.
"""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from chatvista.foundation.problems import PermanentError
from meetings.audio.opening import Media, opened_audio

RATE = 16_000
Samples = npt.NDArray[np.float32]

_PREROLL_MS = 1_000  # decoded and thrown away, so that a codec's memory has settled at the span's start
_TOLERANCE = RATE // 25  # 40 ms of jitter in time stamps is normal; more is a pause or an overlap
_OVERLAP = RATE // 4  # a frame that claims to be from longer ago than this repeats sound already given
_SILENCE_BLOCK = RATE
_LONGEST = 7 * 24 * 3600 * RATE
# Containers whose index leads exactly to a time. Elsewhere (mp3, aac) a seek lands on a guess and the clock is then
# wrong, so packets are counted from the beginning instead, undecoded: seconds for a whole day of sound.
_SEEKABLE = frozenset({"mov", "matroska", "ogg", "flac", "wav", "w64", "aiff", "caf"})


def blocks(media: Media, *, start_ms: int = 0, end_ms: int | None = None) -> Iterator[Samples]:
    """Yield the samples (float32, -1..1) of [start_ms, end_ms) in order, without gaps; shorter where the sound ends.

    Raises:
        PermanentError: `no_audio_track`, or `media_unreadable` when not one block of it decodes.
    """
    start = start_ms * RATE // 1000
    end = _LONGEST if end_ms is None else end_ms * RATE // 1000
    for position, block in _placed(media, start_ms=start_ms, end=end):
        left, right = max(start - position, 0), min(end - position, len(block))
        if left < right:
            yield block[left:right]
        if position + len(block) >= end:
            return


def whole(media: Media, *, start_ms: int, end_ms: int) -> Samples:
    """Give one span as a single array: four bytes a sample, so 38 MB for ten minutes. Raises like `blocks`."""
    parts = list(blocks(media, start_ms=start_ms, end_ms=end_ms))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def _placed(media: Media, *, start_ms: int, end: int) -> Iterator[tuple[int, Samples]]:
    """Yield (position in samples, block), contiguous from a position at or before the start."""
    start = start_ms * RATE // 1000
    with opened_audio(media) as (container, stream):
        zero_s = (container.start_time or 0) / av.time_base
        resampling = _Resampling()
        position: int | None = None if start_ms > _PREROLL_MS else 0
        for frame in _frames(container, stream, from_s=zero_s + (start_ms - _PREROLL_MS) / 1000):
            told = position if frame.time is None else round((frame.time - zero_s) * RATE)
            if position is None:
                position = min(told or 0, start)
            if told is not None and told - position > _TOLERANCE:
                for silence in _silence(min(told, end) - position):
                    yield position, silence
                    position += len(silence)
            elif told is not None and position - told > _OVERLAP:
                continue
            for block in resampling.take(frame):
                yield position, block
                position += len(block)
            if position >= end:
                return
        for block in resampling.rest():
            yield position or 0, block
            position = (position or 0) + len(block)


def _frames(container: InputContainer, stream: AudioStream, *, from_s: float) -> Iterator[AudioFrame]:
    """Decode from shortly before `from_s` to the end; a damaged packet is left out, as a player would."""
    base = stream.time_base or 1 / RATE
    first_pts = int(from_s / base)
    if from_s > 0 and container.format.name.split(",", 1)[0] in _SEEKABLE:
        container.seek(max(first_pts, stream.start_time or 0), stream=stream)
    decoded = damaged = 0
    for packet in container.demux(stream):
        if from_s > 0 and packet.pts is not None and packet.pts < first_pts:
            continue
        try:
            frames = packet.decode()
        except FFmpegError:
            damaged += 1
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame) and frame.samples:
                decoded += 1
                yield frame
    if damaged and not decoded:
        raise PermanentError("media_unreadable", "The sound of the recording is damaged and cannot be decoded.")


class _Resampling:
    """A resampler that survives a track whose rate or channels change on the way."""

    def __init__(self) -> None:
        self._shape: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def take(self, frame: AudioFrame) -> Iterator[Samples]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape or self._resampler is None:
            yield from self.rest()
            self._shape, self._resampler = shape, AudioResampler(format="flt", layout="mono", rate=RATE)
        yield from self._arrays(self._resampler, frame)

    def rest(self) -> Iterator[Samples]:
        if self._resampler is not None:
            yield from self._arrays(self._resampler, None)
            self._resampler = None

    @staticmethod
    def _arrays(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Samples]:
        for out in resampler.resample(frame):
            yield out.to_ndarray().reshape(-1).astype(np.float32, copy=False)


def _silence(length: int) -> Iterator[Samples]:
    while length > 0:
        part = min(length, _SILENCE_BLOCK)
        yield np.zeros(part, dtype=np.float32)
        length -= part
