"""A gibibyte through a real web process, and a disk with no room: memory stays flat, and nothing is left half done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chatvista.embedded.servers import free_port
from tests.fakes.small_disks import small_disk_at
from tests.journeys.houses import MIB, Caller, House, eventually
from tests.journeys.sounds import noise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
GIB = 1024**3


def wav_of(size: int) -> Iterator[bytes]:
    """A WAV file of exactly `size` bytes, half a mebibyte at a time."""
    head = bytearray(noise(seconds=0.1)[:44])
    head[4:8] = (size - 8).to_bytes(4, "little")
    head[40:44] = (size - 44).to_bytes(4, "little")
    yield bytes(head)
    block = np.random.default_rng(1).integers(-3000, 3000, MIB // 4, dtype=np.int16).tobytes()
    left = size - len(head)
    while left:
        yield block[:left]
        left -= min(left, len(block))


def in_form(parts: Iterator[bytes], *, boundary: str) -> Iterator[bytes]:
    """The same as the one file of a form."""
    yield (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="long.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    ).encode()
    yield from parts
    yield f"\r\n--{boundary}--\r\n".encode()


def memory_of(house: House) -> dict[int, int]:
    """The high-water mark of each web process's memory, in bytes."""
    peaks = {}
    for pid in house.children("web"):
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        peaks[pid] = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    return peaks


@pytest.mark.parametrize("framing", ["raw", "form"])
def test_a_gibibyte_keeps_memory_flat_and_lies_on_both_sides(house: House, hana_calls: Caller, framing: str) -> None:
    meeting = hana_calls.meeting()
    # Each process has served a small upload before, and loaded what that takes.
    for _ in range(12):
        assert hana_calls.upload(meeting, noise(seconds=2)).status == 201
    before = memory_of(house)
    digest = hashlib.sha256()
    for part in wav_of(GIB):
        digest.update(part)
    body, kind = wav_of(GIB), "audio/wav"
    if framing == "form":
        body, kind = in_form(body, boundary="cut-here"), "multipart/form-data; boundary=cut-here"
    length = GIB if framing == "raw" else sum(map(len, in_form(iter(()), boundary="cut-here"))) + GIB
    answer = hana_calls.ask(
        "POST",
        f"/meetings/{meeting}/recordings?transcribe=false",
        body=body,
        headers={"Content-Type": kind, "Content-Length": str(length)},
        patience=200,
    )
    after = memory_of(house)

    assert answer.status == 201, answer.body
    given = answer.data
    assert (given["size"], given["sha256"]) == (GIB, digest.hexdigest())
    assert given["storage"]["durability"] == "both"
    assert {(copy["side"], copy["state"]) for copy in given["storage"]["copies"]} == {
        ("local", "present"),
        ("cloud", "present"),
    }
    assert before.keys() == after.keys()
    grown = {pid: (after[pid] - before[pid]) // MIB for pid in before}
    print(f"{framing}: grown by {grown} MiB over {[size // MIB for size in before.values()]}")
    assert max(grown.values()) < 64


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    with small_disk_at(tmp_path / "small", mib=24) as folder:
        yield folder


@pytest.mark.parametrize("announced", [True, False])
def test_on_a_full_disk_uploads_are_refused_and_the_rest_goes_on(
    house: House, hana_calls: Caller, small_disk: Path, announced: bool
) -> None:
    port = free_port()
    house.start("web on a small disk", kind="web", PORT=str(port), CHATVISTA_STORAGE_PATH=str(small_disk))
    caller = Caller(port)
    caller.register()
    meeting = caller.meeting()
    small, large = noise(seconds=10), noise(seconds=30 * MIB / 32_000)
    assert caller.upload(meeting, small).status == 201
    kept = kept_of_uploads(small_disk)
    assert len(kept) == 1
    for _ in range(2):
        answer = caller.ask(
            "POST",
            f"/meetings/{meeting}/recordings",
            body=large if announced else (large[at : at + MIB] for at in range(0, len(large), MIB)),
            headers={"Content-Type": "audio/wav"},
        )
        assert (answer.status, answer.data["code"]) == (507, "disk_full")
        assert int(answer.headers["retry-after"]) > 0
        eventually(lambda: kept_of_uploads(small_disk) == kept, within=5)
    assert [recording["size"] for recording in caller.recordings(meeting)] == [len(small)]
    assert caller.upload(meeting, small).status == 201
    # What is in the Space can be read although nothing more fits on the disk.
    recording = hana_calls.upload(hana_calls.meeting(), large).data["id"]
    caller.token = hana_calls.token
    content = caller.ask("GET", f"/recordings/{recording}/content")
    assert (content.status, content.body == large) == (200, True)
    assert caller.ask("GET", "/health").data["status"] == "healthy"
    house.stop("web on a small disk")


def kept_of_uploads(folder: Path) -> dict[Path, int]:
    """The files of uploads and their sizes; a node's chores put other files on its disk, such as the canary."""
    rooms = [folder / name for name in ("temp", "recordings")]
    return {path: path.stat().st_size for room in rooms for path in room.rglob("*") if path.is_file()}
