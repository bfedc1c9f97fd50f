"""A real file system of a few MiB, to be filled up: a tmpfs, which only root can mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk_at(folder: Path, *, mib: int) -> Iterator[Path]:
    """Mount one over a new folder until the body ends; skips the test where this machine lets nobody."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    folder.mkdir(parents=True)
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", f"size={mib}m", "none", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
