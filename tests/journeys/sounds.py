"""WAV files of any length, made quickly: noise that differs with its seed, and the sample meeting over and over."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

from meetings import samples
from meetings.audio.decoding import RATE, whole

SAMPLE = Path(samples.__file__).parent / "meeting.opus"


def noise(*, seconds: float, seed: int = 0) -> bytes:
    """Noise, 32,000 bytes a second, with a silence every ten seconds where it may be cut."""
    sound = np.random.default_rng(seed).integers(-3000, 3000, int(seconds * RATE), dtype=np.int16)
    for start in range(9 * RATE, len(sound), 10 * RATE):
        sound[start : start + RATE] = 0
    return as_wav(sound.tobytes())


def looped_sample(*, rounds: int) -> bytes:
    """The sample meeting, said that often with a pause between."""
    once = (whole(SAMPLE, start_ms=0, end_ms=10 * 60_000) * 32767).astype(np.int16).tobytes() + bytes(4 * RATE)
    return as_wav(once * rounds)


def as_wav(samples: bytes) -> bytes:
    """16-bit mono samples at 16 kHz, with their header."""
    target = io.BytesIO()
    with wave.open(target, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(samples)
    return target.getvalue()
