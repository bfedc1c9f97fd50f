"""Opening a media file safely: only real media containers, and only the one file named. Reading it lives in `decoding`.

FFmpeg, left alone, also opens playlists and concatenation scripts that name other files and addresses, and plain
text as an animation. Both lists below are therefore given on every opening.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from chatvista.foundation.problems import PermanentError

# Names of FFmpeg's demuxers; one entry may stand for a family (mov is also mp4, m4a and 3gp).
CONTAINERS = ("mov", "matroska", "ogg", "flac", "mp3", "wav", "w64", "aac", "aiff", "caf", "au", "amr")
MORE_CONTAINERS = ("avi", "asf", "mpegts", "mpeg", "flv")
_BUFFER = 256 * 1024
Media = Path | BinaryIO
"""A media file: on a disk, or open and seekable (its bytes may lie sealed), which stays open."""
_PATIENCE_S = (20.0, 20.0)  # to open, to read; for a file on a disk that hangs


class _Nameless:
    """The three calls FFmpeg needs of a file, and nothing that tells its name."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


@contextmanager
def raw(media: Media) -> Iterator[BinaryIO]:
    """The bytes of a media file, from the beginning."""
    if isinstance(media, Path):
        # Unbuffered: FFmpeg has a buffer of its own. FileIO is a BinaryIO in all but name.
        with media.open("rb", buffering=0) as file:
            yield cast("BinaryIO", file)
    else:
        before = media.tell()
        media.seek(0)
        try:
            yield media
        finally:
            # Somebody further up may be in the middle of it.
            media.seek(before)


@contextmanager
def opened(media: Media) -> Iterator[InputContainer]:
    """Open a media file for reading and close what was opened whatever happens.

    Raises:
        FFmpegError: it is none of the containers we accept, or it is broken at its beginning.
        OSError: the file itself cannot be read.
    """
    options = {
        "format_whitelist": ",".join(CONTAINERS + MORE_CONTAINERS),
        "protocol_whitelist": "file",
    }
    with raw(media) as file:
        # A nameless reader: FFmpeg would otherwise let the name's ending decide what doubtful bytes are.
        source = _Nameless(file)
        with av.open(source, "r", container_options=options, buffer_size=_BUFFER, timeout=_PATIENCE_S) as container:
            yield container


@contextmanager
def opened_audio(media: Media) -> Iterator[tuple[InputContainer, AudioStream]]:
    """Open a media file at its (best) audio track, for background work.

    Raises:
        PermanentError: `media_unreadable`, `no_audio_track`.
    """
    try:
        with opened(media) as container:
            stream = container.streams.best("audio")
            if not isinstance(stream, AudioStream):
                raise PermanentError("no_audio_track", "The recording has a picture but no sound to transcribe.")
            yield container, stream
    except FFmpegError as error:
        raise PermanentError("media_unreadable", "The recording cannot be read as audio or video.") from error
