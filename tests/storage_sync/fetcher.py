"""A process of the node that fetches one file, as told by JSON on its command line; prints `ready`, then the path."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "chatvista.settings.test"
    import django  # noqa: PLC0415  the settings come first

    django.setup()
    from django.conf import settings  # noqa: PLC0415

    from storage_sync.disk import fetching  # noqa: PLC0415
    from storage_sync.models import StoredFile  # noqa: PLC0415
    from storage_sync.sides.cloud import cloud  # noqa: PLC0415
    from storage_sync.sides.local import local  # noqa: PLC0415

    told = json.loads(sys.argv[1])
    settings.STORAGE_PATH = Path(told["root"])
    settings.SPACES_BUCKET, settings.SPACES_ENDPOINT = told["bucket"], told["endpoint"]
    settings.DISK_RESERVE_BYTES = 0
    file = StoredFile(pk=told["id"], key=told["key"], size=told["size"], sha256=told["sha256"])
    side = cloud()
    if side is None:
        raise SystemExit("there is no Space")
    print("ready", flush=True)
    sys.stdin.readline()
    fetching.fetch(file=file, side=side)
    print(local().path(file.key), flush=True)


if __name__ == "__main__":
    main()
