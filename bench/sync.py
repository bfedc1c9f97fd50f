"""From pending rows and local bytes to verified copies in the Space, against `rclone copy --checksum` of the same tree.

Run by `make bench-sync`. Both read the same files and write to the same S3 server in the same run, by turns, each time
into an empty bucket. Ours is timed from the call of the engine to its end, ledger included; rclone from start to exit.
rclone looks at every object again after its upload, as we do; without that (`--s3-no-head`) it is faster and believes
the answer alone, and is measured as well so that nobody has to wonder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

from chatvista.embedded.home import CHECKOUT
from chatvista.embedded.wheels import rclone
from tests.journeys.houses import House, a_house

MIB = 1024 * 1024
KINDS = {"small": (2_000, 20_000), "large": (4, 100 * MIB)}
WANTED, AIMS = 1.0, {"small": 1.5, "large": 1.2}
MOST_MEMORY = 300 * MIB
RCLONE = ("--transfers", "16", "--checkers", "16", "--s3-no-check-bucket", "--s3-use-unsigned-payload=true")
PEERS = {"rclone": RCLONE, "rclone without its second look": (*RCLONE, "--s3-no-head")}


def main() -> int:
    """Measure, print, and say by the exit code whether we are fast enough and small enough."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--kind", choices=KINDS, action="append", help="only these")
    words.add_argument("--json", action="store_true", help="the result alone, as JSON, on standard output")
    words.add_argument("--child", choices=("lay", "sync", "check"), help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.child:
        return as_child(asked.child, asked.kind[0])
    with a_house() as house:
        found = {kind: measured(house, kind=kind, rounds=asked.rounds) for kind in asked.kind or KINDS}
    if asked.json:
        print(json.dumps(found, indent=2))
    for kind, one in found.items():
        say(kind, one)
    good = all(one["ratio"] >= WANTED and one["most_memory"] < MOST_MEMORY for one in found.values())
    return 0 if good else 1


def measured(house: House, *, kind: str, rounds: int) -> dict[str, Any]:
    """All in turn, another going first in every round; their seconds, the medians, and our memory."""
    child(house, "lay", kind)
    names = ["ours", *PEERS]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    memory = 0
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            bucket = make_bucket(house)
            if name == "ours":
                said = child(house, "sync", kind, bucket=bucket)
                seconds[name].append(said["seconds"])
                memory = max(memory, said["memory"])
                if number == rounds - 1:
                    child(house, "check", kind, bucket=bucket)
            else:
                seconds[name].append(copied(house, kind=kind, bucket=bucket, flags=PEERS[name]))
            remove_bucket(house, bucket)
        print(f"{kind} {number + 1}: " + ", ".join(f"{name} {seconds[name][-1]:.2f} s" for name in names), flush=True)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    return {
        "seconds": seconds,
        "medians": medians,
        "ratio": medians["rclone"] / medians["ours"],
        "ratio_without_second_look": medians["rclone without its second look"] / medians["ours"],
        "most_memory": memory,
    }


def say(kind: str, found: dict[str, Any]) -> None:
    """One kind's result, for people."""
    count, size = KINDS[kind]
    medians = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in found["medians"].items())
    print(f"{count} files of {size} bytes, medians: {medians}")
    print(
        f"  rclone/ours {found['ratio']:.2f} (at least {WANTED}, aim {AIMS[kind]}), without its second look "
        f"{found['ratio_without_second_look']:.2f}; our memory {found['most_memory'] // MIB} MiB (under 300)"
    )


def make_bucket(house: House) -> str:
    """A new bucket, which is a folder of the embedded S3 server."""
    name = f"bench-{uuid.uuid4().hex[:12]}"
    (house.storage.parent / "spaces" / name).mkdir(mode=0o700)
    os.sync()
    # The server looks for new folders once a second.
    time.sleep(1.2)
    return name


def remove_bucket(house: House, name: str) -> None:
    """With all in it: whoever goes next is to find the machine's memory as empty as whoever went before."""
    shutil.rmtree(house.storage.parent / "spaces" / name)


def copied(house: House, *, kind: str, bucket: str, flags: Sequence[str]) -> float:
    """Seconds that rclone takes."""
    environ = os.environ | {
        "RCLONE_CONFIG": "/dev/null",
        "RCLONE_CONFIG_TO_TYPE": "s3",
        "RCLONE_CONFIG_TO_PROVIDER": "Other",
        "RCLONE_CONFIG_TO_ENDPOINT": house.environ["DO_SPACES_ENDPOINT"],
        "RCLONE_CONFIG_TO_ACCESS_KEY_ID": house.environ["DO_SPACES_ACCESS_KEY"],
        "RCLONE_CONFIG_TO_SECRET_ACCESS_KEY": house.environ["DO_SPACES_SECRET_KEY"],
        "RCLONE_CONFIG_TO_FORCE_PATH_STYLE": "true",
    }
    tree = house.storage / folder_of(kind)
    command = [str(rclone()), "copy", "--checksum", *flags, str(tree), f"to:{bucket}/{folder_of(kind)}"]
    began = time.perf_counter()
    subprocess.run(command, env=environ, check=True)
    return time.perf_counter() - began


def folder_of(kind: str) -> str:
    """Each kind has a category of its own."""
    return {"small": "minutes", "large": "recordings"}[kind]


def child(house: House, role: str, kind: str, *, bucket: str = "") -> dict[str, Any]:
    """What a fresh process of ours says, which knows the settings of the house."""
    environ = house.environ | {"LOG_LEVEL": "WARNING"} | ({"DO_SPACES_BUCKET": bucket} if bucket else {})
    command = [sys.executable, "-m", "bench.sync", "--child", role, "--kind", kind]
    done = subprocess.run(command, env=environ, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def as_child(role: str, kind: str) -> int:
    """In the process of its own: lay the files, sync them, or read them all back."""
    import django  # noqa: PLC0415  only the child has settings

    django.setup()
    from bench import laying  # noqa: PLC0415
    from storage_sync.syncing import run  # noqa: PLC0415

    category = folder_of(kind)
    if role == "lay":
        count, size = KINDS[kind]
        print(json.dumps({"files": laying.lay(count=count, size=size, category=category)}))
        return 0
    if role == "check":
        print(json.dumps({"files": laying.check(category=category)}))
        return 0
    laying.make_due(category=category)
    began = time.perf_counter()
    done = run(categories=[category])
    seconds = time.perf_counter() - began
    if done.made != KINDS[kind][0] or laying.left(category=category):
        raise SystemExit(f"not everything was made: {done}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
