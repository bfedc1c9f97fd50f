"""The real clients of resumable uploads, from npm, run by Node; what they tell, and what they are told."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

import pytest

PROJECT = Path(__file__).parent / "resumable"
INSTALL_SECONDS, PATIENCE_SECONDS = 180, 120


def installed(into: Path, *, generation: str = "") -> Path:
    """The project with its packages, as its lock says; skips where there is no Node or no registry."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    for file in (*PROJECT.glob("*.mjs"), *(PROJECT / generation).glob("package*.json")):
        shutil.copy(file, into)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=into, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"npm cannot install the clients: {done.stderr[-300:]}")
    return into


class Client:
    """A program of the project at work."""

    def __init__(self, project: Path, program: str, **told: Any) -> None:
        self._events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._has_ended = False
        self._process = subprocess.Popen(
            ["node", program, json.dumps(told)],
            cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def wait_for(self, event: str, *, within: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The next event of that name; it is forgotten then."""

        def found() -> dict[str, Any] | None:
            return next((told for told in self._events if told["event"] == event), None)

        with self._changed:
            self._changed.wait_for(lambda: found() is not None or self._has_ended, timeout=within)
            told = found()
            assert told is not None, f"no {event}; it told {self._events} and wrote {self._errors()}"
            self._events.remove(told)
            return told

    def tell(self, **words: Any) -> None:
        """Answer what it waits for."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                if line.startswith("{"):
                    self._events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _errors(self) -> str:
        self._process.kill()
        assert self._process.stderr is not None
        return self._process.stderr.read()[-3000:]
