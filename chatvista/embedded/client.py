"""A small client of the public API, as anybody could write one: standard library only, patient with a busy server."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_BUSY = {429, 502, 503}
_PATIENCE = 60.0


class RefusedError(Exception):
    """The service answered with a problem; the message is its own sentence."""

    def __init__(self, *, status: int, what: str, told: str) -> None:
        super().__init__(f"{what} was answered with {status}: {told}")
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    content: bytes = field(repr=False)

    @property
    def data(self) -> dict[str, Any]:
        """The JSON object in the body; empty where there is none."""
        try:
            found = json.loads(self.content)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {"results": found}


class Client:
    """One signed-in person's view of the API below `url`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._is_secure = parts.scheme == "https"
        self._token: str | None = None

    def sign_in(self, *, email: str, password: str) -> None:
        """POST /auth/login."""
        self._token = self.post("/auth/login", {"email": email, "password": password})["access"]

    def get(self, path: str) -> dict[str, Any]:
        """The JSON at `path`."""
        return self._ask("GET", path).data

    def find(self, path: str) -> dict[str, Any] | None:
        """The JSON at `path`, None where there is nothing."""
        try:
            return self.get(path)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def download(self, path: str) -> bytes:
        """The bytes at `path`."""
        return self._ask("GET", path).content

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create something, once, however often the request has to be repeated."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        return self._ask("POST", path, body=json.dumps(body).encode(), headers=headers).data

    def upload(self, path: str, file: Path, *, content_type: str) -> dict[str, Any]:
        """Send a file as the raw body, streamed from disk."""
        headers = {
            "Content-Type": content_type,
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Content-Length": str(file.stat().st_size),
            "Idempotency-Key": str(uuid.uuid4()),
        }
        return self._ask("POST", path, file=file, headers=headers).data

    def follow(self, job_id: str, *, tell: Callable[[dict[str, Any]], None], patience: float = 900.0) -> None:
        """Poll a job to its end, telling every change; RefusedError when it fails."""
        deadline = time.monotonic() + patience
        told: tuple[Any, ...] = ()
        while True:
            job = self.get(f"/jobs/{job_id}")
            now = (job["state"], job["step"], round(float(job["progress"]) * 4))
            if now != told:
                told = now
                tell(job)
            if job["state"] == "completed":
                return
            if job["state"] in {"failed", "cancelled"}:
                reason = (job.get("error") or {}).get("detail", job["state"])
                raise RefusedError(status=200, what=f"The job {job['kind']}", told=reason)
            if time.monotonic() > deadline:
                raise RefusedError(status=200, what=f"The job {job['kind']}", told=f"still {job['state']}")
            time.sleep(0.2)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        file: Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, repeated while the service is busy or being restarted."""
        sent = {"Accept": "application/json, */*", **(headers or {})}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                answer, wait = self._once(method, path, body=body, file=file, headers=sent)
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > deadline:
                    raise RefusedError(status=0, what=f"{method} {path}", told=str(error)) from error
                wait = 0.5
            else:
                if answer.status < 400:
                    return answer
                if answer.status not in _BUSY or time.monotonic() > deadline:
                    told = answer.data.get("detail") or answer.content[:300].decode(errors="replace")
                    raise RefusedError(status=answer.status, what=f"{method} {path}", told=told)
            time.sleep(wait)

    def _once(
        self, method: str, path: str, *, body: bytes | None, file: Path | None, headers: Mapping[str, str]
    ) -> tuple[Answer, float]:
        kind = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=120)
        try:
            if file is None:
                connection.request(method, f"/api/v1{path}", body=body, headers=dict(headers))
            else:
                with file.open("rb") as stream:
                    connection.request(method, f"/api/v1{path}", body=stream, headers=dict(headers))
            response = connection.getresponse()
            pause = response.getheader("Retry-After", "1")
            return Answer(response.status, response.read()), min(10.0, float(pause) if pause.isdecimal() else 1.0)
        finally:
            connection.close()
