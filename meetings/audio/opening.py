"""Opening a media file safely: only real media containers, and only the one file named. Reading it lives in `decoding`.

FFmpeg, left alone, also opens playlists and concatenation scripts that name other files and addresses, and plain
text as an animation. Both lists below are therefore given on every opening.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from chatvista.foundation.problems import PermanentError

# Names of FFmpeg's demuxers; one entry may stand for a family (mov is also mp4, m4a and 3gp).
CONTAINERS = ("mov", "matroska", "ogg", "flac", "mp3", "wav", "w64", "aac", "aiff", "caf", "au", "amr")
MORE_CONTAINERS = ("avi", "asf", "mpegts", "mpeg", "flv")
_BUFFER = 256 * 1024
_PATIENCE_S = (20.0, 20.0)  # to open, to read; for a file on a disk that hangs


class _Nameless:
    """The three calls FFmpeg needs of a file, and nothing that tells its name."""

    def __init__(self, file: FileIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading and close it whatever happens.

    Raises:
        FFmpegError: it is none of the containers we accept, or it is broken at its beginning.
        OSError: the file itself cannot be read.
    """
    options = {
        "format_whitelist": ",".join(CONTAINERS + MORE_CONTAINERS),
        "protocol_whitelist": "file",
    }
    with path.open("rb", buffering=0) as file:
        # A nameless reader: FFmpeg would otherwise let the name's ending decide what doubtful bytes are.
        source = _Nameless(file)
        with av.open(source, "r", container_options=options, buffer_size=_BUFFER, timeout=_PATIENCE_S) as container:
            yield container


@contextmanager
def opened_audio(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """Open a media file at its (best) audio track, for background work.

    Raises:
        PermanentError: `media_unreadable`, `no_audio_track`.
    """
    try:
        with opened(path) as container:
            stream = container.streams.best("audio")
            if not isinstance(stream, AudioStream):
                raise PermanentError("no_audio_track", "The recording has a picture but no sound to transcribe.")
            yield container, stream
    except FFmpegError as error:
        raise PermanentError("media_unreadable", "The recording cannot be read as audio or video.") from error
