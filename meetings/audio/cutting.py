"""Where to cut a long recording: in the quietest moment near the limit, so that no word is cut in two."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from meetings.audio.decoding import RATE, blocks
from meetings.audio.opening import Media
from meetings.gateways.contracts import Progress, Span

FRAME_MS = 20
_FRAME = RATE * FRAME_MS // 1000
_PAUSE_MS = 400  # a breath between two sentences; a shorter dip may be inside a word
_SEARCH = 0.3  # cuts are looked for in the last 30 % of the longest span


@dataclass(frozen=True, slots=True)
class Energies:
    """Loudness (root mean square, 0..1) of every `FRAME_MS` of a recording, and how long it really is."""

    frames: npt.NDArray[np.float32]
    duration_ms: int


def energies(media: Media, *, duration_ms: int = 0, progress: Progress | None = None) -> Energies:
    """Read the loudness of a whole recording; 7 MB for ten hours.

    Args:
        media: the media file.
        duration_ms: what the header says; only used to tell how far it is.
        progress: told 0..1 as it goes.

    Raises:
        PermanentError: `no_audio_track`, `media_unreadable`.
    """
    found: list[npt.NDArray[np.float32]] = []
    left = np.zeros(0, dtype=np.float32)
    total = told = 0
    for block in blocks(media):
        total += len(block)
        left = np.concatenate((left, block))
        if len(left) >= RATE:
            whole = len(left) // _FRAME * _FRAME
            found.append(_loudness(left[:whole]))
            left = left[whole:]
        if progress and duration_ms and total - told >= RATE * 60:
            told = total
            progress(min(1.0, total * 1000 / RATE / duration_ms))
    if len(left):
        found.append(_loudness(np.pad(left, (0, -len(left) % _FRAME))))
    frames = np.concatenate(found) if found else np.zeros(0, dtype=np.float32)
    return Energies(frames=frames, duration_ms=-(-total * 1000 // RATE))


def spans(loudness: Energies, *, longest_ms: int) -> tuple[Span, ...]:
    """Cut [0, duration) into spans of at most `longest_ms`, without gaps or overlaps; () for an empty recording.

    Raises:
        ValueError: `longest_ms` is not positive.
    """
    if longest_ms <= 0:
        raise ValueError("longest_ms must be positive")
    quiet = _smoothed(loudness.frames)
    cuts = [0]
    while (left := loudness.duration_ms - cuts[-1]) > longest_ms:
        # Three quarters of what is left at the most: the last span is never a sliver that an API refuses.
        cuts.append(_quietest(quiet, after_ms=cuts[-1], reach_ms=min(longest_ms, -(-left * 3 // 4))))
    cuts.append(loudness.duration_ms)
    return tuple(Span(left, right) for left, right in pairwise(cuts) if right > left)


def _quietest(quiet: npt.NDArray[np.float32], *, after_ms: int, reach_ms: int) -> int:
    """Pick the middle of the quietest pause in the window before the limit; of equals, the latest."""
    latest = after_ms + reach_ms
    first = (latest - int(reach_ms * _SEARCH)) // FRAME_MS
    window = quiet[first : latest // FRAME_MS]
    if not len(window):
        return latest
    frame = first + len(window) - 1 - int(np.argmin(window[::-1]))
    cut = frame * FRAME_MS + FRAME_MS // 2
    return cut if after_ms < cut <= latest else latest


def _smoothed(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Loudness around each frame over the length of a pause, so that one silent frame does not win over a pause."""
    width = _PAUSE_MS // FRAME_MS + 1
    padded = np.pad(frames.astype(np.float64), width // 2, mode="edge") if len(frames) else np.zeros(width)
    sums = np.cumsum(np.concatenate(([0.0], padded)))
    return np.asarray((sums[width:] - sums[:-width]) / width, dtype=np.float32)


def _loudness(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    squares = np.square(samples.reshape(-1, _FRAME), dtype=np.float64).mean(axis=1)
    return np.asarray(np.sqrt(squares), dtype=np.float32)
