"""Sealing: what comes back is what went in, from any position, and anything else is refused."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from chatvista.foundation.ciphers import (
    FRAME_BYTES,
    HEADER_BYTES,
    OVERHEAD_BYTES,
    SEALED_FRAME_BYTES,
    Opener,
    SealBrokenError,
    Sealer,
    open_whole,
    plain_size,
    seal_whole,
    sealed_size,
)
from chatvista.foundation.unsealed import unsealed

KEY, CONTEXT = bytes(range(32)), b"a file"
SIZES = some.one_of(
    some.integers(0, 300),
    some.builds(lambda frames, more: max(0, frames * FRAME_BYTES + more), some.integers(0, 4), some.integers(-2, 2)),
    some.integers(0, 4 * FRAME_BYTES),
)
PLAIN = os.urandom(5 * FRAME_BYTES)


def sealed(plain: bytes, context: bytes = CONTEXT) -> bytes:
    return seal_whole(plain, key=KEY, context=context)


def pieces(data: bytes, step: int) -> Iterator[bytes]:
    return (data[at : at + step] for at in range(0, len(data), step))


def ranged(whole: bytes, start: int, length: int | None, step: int = 70_001) -> bytes:
    """A range as a side would give it: only the sealed bytes of its window, in chunks."""
    opener = Opener(key=KEY, context=CONTEXT, sealed_size=len(whole))
    window = opener.window(start, length)
    return b"".join(opener.stream(pieces(whole[window.start : window.start + window.length], step), window))


def stream_all(data: bytes, *, sealed_size: int) -> bytes:
    opener = Opener(key=KEY, context=CONTEXT, sealed_size=sealed_size)
    return b"".join(opener.stream([data], opener.window(0)))


@given(size=SIZES, step=some.integers(1, 3 * FRAME_BYTES))
@settings(max_examples=60, deadline=None)
def test_what_was_sealed_in_any_chunks_comes_back(size: int, step: int) -> None:
    plain, sealer = PLAIN[:size], Sealer(key=KEY, context=CONTEXT)
    step = max(step, size // 50)
    whole = b"".join(sealer.seal(piece) for piece in pieces(plain, step)) + sealer.finish()
    assert len(whole) == sealed_size(size)
    assert plain_size(len(whole)) == size
    assert open_whole(whole, key=KEY, context=CONTEXT) == plain


@given(size=SIZES, start=some.integers(0, 4 * FRAME_BYTES), length=some.none() | some.integers(0, 2 * FRAME_BYTES))
@settings(max_examples=80, deadline=None)
def test_any_range_opens_by_itself(size: int, start: int, length: int | None) -> None:
    plain = PLAIN[:size]
    assert ranged(sealed(plain), start, length) == plain[start : None if length is None else start + length]


@given(
    size=SIZES, moves=some.lists(some.tuples(some.integers(0, 5 * FRAME_BYTES), some.integers(0, 90_000)), max_size=8)
)
@settings(max_examples=60, deadline=None)
def test_the_seekable_file_reads_like_the_plaintext(size: int, moves: list[tuple[int, int]]) -> None:
    plain, source = PLAIN[:size], io.BytesIO(sealed(PLAIN[:size]))
    with unsealed(source, key=KEY, context=CONTEXT, sealed_size=sealed_size(size)) as file:
        assert file.seek(0, io.SEEK_END) == size
        for start, length in moves:
            file.seek(start)
            assert file.read(length) == plain[start : start + length]
        file.seek(0)
        assert file.read() == plain
    assert source.closed


@given(size=SIZES, at=some.integers(0), bit=some.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_a_flipped_bit_anywhere_is_seen(size: int, at: int, bit: int) -> None:
    whole = bytearray(sealed(PLAIN[:size]))
    whole[at % len(whole)] ^= 1 << bit
    with pytest.raises(SealBrokenError):
        open_whole(bytes(whole), key=KEY, context=CONTEXT)
    with pytest.raises(SealBrokenError), unsealed(
        io.BytesIO(whole), key=KEY, context=CONTEXT, sealed_size=len(whole)
    ) as file:  # fmt: skip
        file.read()


@given(size=SIZES, cut=some.integers(1), told=some.booleans())
@settings(max_examples=100, deadline=None)
def test_what_was_cut_short_is_seen(size: int, cut: int, told: bool) -> None:
    whole = sealed(PLAIN[:size])
    short = whole[: -(cut % len(whole)) or -1]
    with pytest.raises(SealBrokenError):
        stream_all(short, sealed_size=len(short) if told else len(whole))


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_content_cut_between_two_frames_has_no_end(frames: int) -> None:
    whole = sealed(PLAIN[: 4 * FRAME_BYTES])
    with pytest.raises(SealBrokenError):
        open_whole(whole[: HEADER_BYTES + frames * SEALED_FRAME_BYTES], key=KEY, context=CONTEXT)


def test_frames_open_only_in_their_place_and_only_in_their_content() -> None:
    one, two = sealed(PLAIN[: 3 * FRAME_BYTES]), sealed(PLAIN[: 3 * FRAME_BYTES], b"another file")
    first, second = (
        slice(HEADER_BYTES + n * SEALED_FRAME_BYTES, HEADER_BYTES + (n + 1) * SEALED_FRAME_BYTES) for n in (0, 1)
    )
    swapped = bytearray(one)
    swapped[first], swapped[second] = one[second], one[first]
    foreign = bytearray(one)
    foreign[first] = two[first]
    longer = one + one[second]
    for wrong in (swapped, foreign, longer, two):
        with pytest.raises(SealBrokenError):
            open_whole(bytes(wrong), key=KEY, context=CONTEXT)
    with pytest.raises(SealBrokenError):
        open_whole(one, key=bytes(32), context=CONTEXT)


def test_the_same_plaintext_is_never_sealed_twice_alike() -> None:
    assert sealed(b"hello") != sealed(b"hello")


@pytest.mark.parametrize("size", [0, 7, HEADER_BYTES, HEADER_BYTES + OVERHEAD_BYTES - 1,
                                  HEADER_BYTES + SEALED_FRAME_BYTES + 1,
                                  HEADER_BYTES + SEALED_FRAME_BYTES + OVERHEAD_BYTES])  # fmt: skip
def test_a_size_that_nothing_sealed_has_is_refused(size: int) -> None:
    with pytest.raises(SealBrokenError):
        plain_size(size)


def test_a_broken_place_does_not_keep_the_rest_from_being_read() -> None:
    whole = bytearray(sealed(PLAIN[: 3 * FRAME_BYTES]))
    whole[HEADER_BYTES + SEALED_FRAME_BYTES + 5] ^= 1
    assert ranged(bytes(whole), 2 * FRAME_BYTES, 100) == PLAIN[2 * FRAME_BYTES : 2 * FRAME_BYTES + 100]
    with pytest.raises(SealBrokenError):
        ranged(bytes(whole), FRAME_BYTES, 1)
