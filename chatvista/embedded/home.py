"""Where the stack keeps what it knows: the folder `.chatvista`, its parts and their permissions."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Home:
    """The folder of one stack; everything it holds is readable by its owner alone."""

    path: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Home:
        """The checkout's `.chatvista`, or where CHATVISTA_HOME says."""
        return cls(Path(environ.get("CHATVISTA_HOME") or CHECKOUT / ".chatvista").absolute())

    @property
    def logs(self) -> Path:
        """One file for each part, bounded."""
        return self.path / "logs"

    @property
    def storage(self) -> Path:
        """CHATVISTA_STORAGE_PATH: the local copy of every file."""
        return self.path / "storage"

    @property
    def state(self) -> Path:
        """What a running stack tells other commands."""
        return self.path / "stack.json"

    def prepare(self) -> None:
        """Create the folder; others may pass through it (not look) only where PostgreSQL runs as another user."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.logs, self.storage):
            folder.mkdir(mode=0o700, exist_ok=True)

    def read(self, name: str) -> dict[str, Any]:
        """The JSON object in file `name`, empty where there is none or it is damaged."""
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Replace file `name` by `value`: 0600 from its first byte on, absent or complete whatever happens."""
        # mkstemp creates with 0600.
        handle, draft = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(value, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self.path / name)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
