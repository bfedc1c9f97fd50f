"""Rules about the tree itself that no linter has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chatvista.settings.environment import CHECKOUT

OURS = ("chatvista", "accounts", "meetings", "storage_sync", "backups", "tests", "bench")


def modules() -> list[Path]:
    return [
        path
        for folder in OURS
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
        if "migrations" not in path.parts and "__pycache__" not in path.parts
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_file_is_one_room(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
    assert path.stem not in {"utils", "util", "helpers", "common", "misc", "services"}


def test_arrows_point_down() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_requirements_file_agrees_with_the_lock() -> None:
    exported = subprocess.run(
        [
            str(Path(sys.executable).with_name("uv")),
            "export",
            "--frozen",
            "--no-dev",
            "--no-emit-project",
            "--no-hashes",
            "-q",
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    pins = [line for line in exported.splitlines() if "==" in line]
    written = [line for line in (CHECKOUT / "requirements.txt").read_text().splitlines() if "==" in line]
    assert pins == written
