"""One gibibyte through the API to both sides, against a copy to the disk and boto3's upload of the same file at once.

Run by `make bench-upload`. Both write to the same disk and the same S3 server in the same run, by turns, and the last
word of either is that the bytes are on the disk (fsync) and in the bucket. Ours also receives them over HTTP, hashes
them, compares what the store reports, and writes the ledger.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import socket
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3.session
from botocore.config import Config

from tests.journeys.houses import MIB, Caller, House, a_house
from tests.journeys.sounds import noise

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

WANTED = 0.7
AIM = 0.9
LARGEST_GROWTH = 64 * MIB


def main() -> int:
    """Measure, print, and say by the exit code whether the ratio and the memory are what they should be."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--mib", type=int, default=1024, help="size of the file")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--json", action="store_true", help="the result alone, as JSON, on standard output")
    asked = words.parse_args()
    with a_house() as house:
        found = measured(house, size=asked.mib * MIB, rounds=asked.rounds)
    if asked.json:
        print(json.dumps(found, indent=2))
    say(
        f"ours {found['ours']:.2f} s, peer {found['peer']:.2f} s (medians): "
        f"ratio {found['ratio']:.2f} (at least {WANTED}, aim {AIM})"
    )
    say(f"the web process grew by {found['growth'] // MIB} MiB (less than {LARGEST_GROWTH // MIB})")
    return 0 if found["ratio"] >= WANTED and found["growth"] < LARGEST_GROWTH else 1


def measured(house: House, *, size: int, rounds: int) -> dict[str, Any]:
    """Both in turn, the first to go changing with every round; seconds, their medians, and the memory."""
    house.start("web")
    caller = Caller(house.port)
    caller.register()
    source = house.storage.parent / "bench.wav"
    make_sound(source, size=size)
    meeting = caller.meeting()
    for number in range(20):
        # Each process has served before, loaded what that takes, and seen what the Space calls an object of parts.
        assert caller.upload(meeting, noise(seconds=2 if number < 12 else 640)).status == 201
    before = memory_of(house)
    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    for number in range(rounds):
        for name in ("ours", "peer") if number % 2 else ("peer", "ours"):
            drain(house)
            began = time.perf_counter()
            if name == "ours":
                through_the_api(caller, meeting, source)
            else:
                beside_it(house, source)
            seconds[name].append(time.perf_counter() - began)
        say(f"round {number + 1}: ours {seconds['ours'][-1]:.2f} s, peer {seconds['peer'][-1]:.2f} s")
    after = memory_of(house)
    ours, peer = (statistics.median(seconds[name]) for name in ("ours", "peer"))
    growth = max(after[pid] - before[pid] for pid in before)
    return {"ours": ours, "peer": peer, "ratio": peer / ours, "growth": growth, "seconds": seconds, "bytes": size}


def through_the_api(caller: Caller, meeting: str, source: Path) -> None:
    """POST the file; 201 says that both copies are verified."""
    size = source.stat().st_size
    with socket.create_connection(("127.0.0.1", caller.port)) as wire, source.open("rb") as body:
        head = f"POST /api/v1/meetings/{meeting}/recordings?transcribe=false HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Content-Type: audio/wav\r\nContent-Length: {size}\r\nAuthorization: Bearer {caller.token}\r\n\r\n"
        wire.sendall(head.encode())
        wire.sendfile(body)
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        given = json.loads(answer.read())
    assert answer.status == 201, given
    assert (given["size"], given["storage"]["durability"]) == (size, "both")


def beside_it(house: House, source: Path) -> None:
    """cp and fsync, and boto3's upload_file, at the same time."""
    uploading = threading.Thread(target=upload, args=(house.environ, source))
    uploading.start()
    target = house.storage / "bench.copy"
    shutil.copyfile(source, target)
    with target.open("rb") as copied:
        os.fsync(copied.fileno())
    uploading.join()
    target.unlink()


def upload(environ: Mapping[str, str], source: Path) -> None:
    """As boto3 does it by itself: parts of 8 MiB, ten at a time, and as little hashing as it ever does."""
    client_of(environ).upload_file(str(source), environ["DO_SPACES_BUCKET"], f"bench/{uuid.uuid4()}")


def client_of(environ: Mapping[str, str]) -> S3Client:
    """The peer's client."""
    config = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path", "payload_signing_enabled": False},
    )
    session = boto3.session.Session(
        aws_access_key_id=environ["DO_SPACES_ACCESS_KEY"],
        aws_secret_access_key=environ["DO_SPACES_SECRET_KEY"],
        region_name=environ["DO_SPACES_REGION"],
    )
    return session.client("s3", endpoint_url=environ["DO_SPACES_ENDPOINT"], config=config)


def drain(house: House) -> None:
    """Begin with nothing left to write, and without the files of the round before."""
    # Rows first, or the service would set about mending what it misses.
    for table in ("meetings_recording", "storage_sync_blockdigests", "storage_sync_copy", "storage_sync_storedfile"):
        house.sql(f"DELETE FROM {table}")
    shutil.rmtree(house.storage / "recordings", ignore_errors=True)
    client, bucket = client_of(house.environ), house.environ["DO_SPACES_BUCKET"]
    for prefix in ("recordings/", "bench/"):
        for item in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            client.delete_object(Bucket=bucket, Key=item["Key"])
    os.sync()


def make_sound(path: Path, *, size: int) -> None:
    """A WAV file of that size."""
    head = bytearray(noise(seconds=0.1)[:44])
    head[4:8], head[40:44] = (size - 8).to_bytes(4, "little"), (size - 44).to_bytes(4, "little")
    with path.open("wb") as sink:
        sink.write(head)
        block = noise(seconds=33)[44 : 44 + MIB]
        while (left := size - sink.tell()) > 0:
            sink.write(block[:left])


def memory_of(house: House) -> dict[int, int]:
    """The high-water mark of each web process, in bytes."""
    found = {}
    for pid in house.children("web"):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            found[pid] = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return found


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
