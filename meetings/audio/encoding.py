"""A part of a recording as a small file to send to an API: Opus in Ogg, 16 kHz, one channel, 3 kB a second."""

from __future__ import annotations

from typing import BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer

from meetings.audio.decoding import RATE, Samples, blocks
from meetings.audio.opening import Media
from meetings.gateways.contracts import Span

_BIT_RATE = 24_000  # clear for speech; ten minutes are below 2 MB
_CHUNK = RATE


def encode(media: Media, *, span: Span, into: BinaryIO) -> int:
    """Write one span of `media` into a seekable file and give its length in milliseconds.

    Raises:
        PermanentError: `no_audio_track`, `media_unreadable`.
        OSError: `into` cannot be written.
    """
    total = 0
    with av.open(into, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, options={"application": "voip"})
        stream.codec_context.layout = "mono"
        stream.codec_context.format = "flt"
        stream.codec_context.bit_rate = _BIT_RATE
        waiting: list[Samples] = []
        for block in blocks(media, start_ms=span.start_ms, end_ms=span.end_ms):
            waiting.append(block)
            if sum(map(len, waiting)) >= _CHUNK:
                total += _write(container, stream, np.concatenate(waiting), position=total)
                waiting = []
        if waiting:
            total += _write(container, stream, np.concatenate(waiting), position=total)
        container.mux(stream.encode(None))
    return total * 1000 // RATE


def _write(container: OutputContainer, stream: AudioStream, samples: Samples, *, position: int) -> int:
    frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate = RATE
    frame.pts = position
    container.mux(stream.encode(frame))
    return len(samples)
