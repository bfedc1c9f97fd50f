"""A small server that speaks OpenAI's protocol over real HTTP, and misbehaves on request.

`server.next(...)` queues behaviours, one per request; without any it answers well. Every request is recorded.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-0123456789"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived: `fields` of a form or of a JSON body, `files` by field name."""

    path: str
    headers: Message
    fields: dict[str, Any]
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. `hang_s` waits first; `cut` closes the connection within the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_s: float = 0.0
    cut: bool = False


Behaviour = Reply | Callable[[Asked], Reply]


def as_json(value: object, *, status: int = 200, **headers: str) -> Reply:
    """Give a JSON answer; underscores in header names become hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


def an_error(status: int, *, code: str = "some_code", **headers: str) -> Reply:
    """Give an error in OpenAI's envelope."""
    return as_json(
        {"error": {"message": "It went wrong.", "type": code, "param": None, "code": code}}, status=status, **headers
    )


def a_completion(content: str | None, *, finish_reason: str = "stop", refusal: str | None = None) -> Reply:
    """Give a chat completion."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return as_json(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "fake",
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        }
    )


def minutes(**lists: list[Any]) -> Reply:
    """Give minutes; the lists that are not named are empty."""
    empty: dict[str, list[Any]] = {
        name: [] for name in ("summary", "topics", "decisions", "action_items", "open_questions")
    }
    return a_completion(json.dumps({**empty, **lists}))


class OpenAIServer:
    """The running fake: its address, what it was asked, what it will do next."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._behaviours: deque[Behaviour] = deque()
        self._always: Behaviour | None = None
        self.over = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("_Bound", (_Handler,), {"fake": self}))
        self._http.daemon_threads = False
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def next(self, *behaviours: Behaviour) -> None:
        """Queue what the coming requests get, one each."""
        self._behaviours.extend(behaviours)

    def always(self, behaviour: Behaviour) -> None:
        """Set what requests get when nothing is queued."""
        self._always = behaviour

    def answer(self, asked: Asked) -> Reply:
        """Record a request and choose its reply; a request the real API would refuse is refused first."""
        self.asked.append(asked)
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return an_error(401, code="invalid_api_key")
        problem = _complaint(asked)
        if problem:
            return an_error(400, code=problem)
        behaviour = self._behaviours.popleft() if self._behaviours else self._always
        if behaviour is None:
            return _usual(asked)
        return behaviour(asked) if callable(behaviour) else behaviour

    def close(self) -> None:
        """Stop, also what hangs, and free the port."""
        self.over.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@contextmanager
def openai_server() -> Iterator[OpenAIServer]:
    """Run the fake for the length of a `with`."""
    server = OpenAIServer()
    try:
        yield server
    finally:
        server.close()


def _usual(asked: Asked) -> Reply:
    if asked.path.endswith("/audio/transcriptions"):
        if asked.fields["response_format"] == "json":
            return as_json({"text": "Good morning everyone."})
        return as_json(
            {
                "task": "transcribe",
                "language": "english",
                "duration": 2.0,
                "text": "Good morning everyone.",
                "segments": [{"id": 0, "start": 0.5, "end": 1.8, "text": " Good morning everyone."}],
                "words": [
                    {"word": "Good", "start": 0.5, "end": 0.8},
                    {"word": "morning", "start": 0.8, "end": 1.2},
                    {"word": "everyone", "start": 1.2, "end": 1.8},
                ],
            }
        )
    return minutes(summary=[{"text": "They met.", "lines": ["L1"]}])


def _complaint(asked: Asked) -> str:
    """Say what the real API would find missing or wrong, or ""."""
    if not asked.fields.get("model"):
        return "missing_model"
    if asked.path.endswith("/audio/transcriptions"):
        return _audio_complaint(asked)
    if asked.path.endswith("/chat/completions"):
        messages = asked.fields.get("messages")
        if not messages or any(set(message) != {"role", "content"} for message in messages):
            return "invalid_messages"
        return _schema_complaint(asked.fields.get("response_format", {}).get("json_schema", {}).get("schema", {}))
    return "unknown_url"


def _audio_complaint(asked: Asked) -> str:
    if not asked.files.get("file", b"").startswith(b"OggS"):
        return "missing_file"
    if len(asked.files["file"]) > 25 * 1024 * 1024:
        return "file_too_large"
    timed = asked.fields.get("response_format") == "verbose_json"
    if timed != ("whisper" in asked.fields["model"]):
        return "unsupported_format"
    return "" if timed or "timestamp_granularities[]" not in asked.fields else "unsupported_granularity"


def _schema_complaint(schema: dict[str, Any]) -> str:
    """Strict structured output wants every object closed and every property required."""
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return "schema_open"
        if sorted(schema.get("required", [])) != sorted(schema["properties"]):
            return "schema_optional"
        return next((bad for part in schema["properties"].values() if (bad := _schema_complaint(part))), "")
    return _schema_complaint(schema["items"]) if schema.get("type") == "array" else ""


def _form(body: bytes, content_type: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    boundary = content_type.split("boundary=", 1)[1].strip('"').encode()
    fields: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part[2:-2].partition(b"\r\n\r\n")
        disposition = head.decode().split("\r\n")[0]
        name = disposition.split('name="', 1)[1].split('"', 1)[0]
        if "filename=" in disposition:
            files[name] = content
        elif name.endswith("[]"):
            fields.setdefault(name, []).append(content.decode())
        else:
            fields[name] = content.decode()
    return fields, files


class _Handler(BaseHTTPRequestHandler):
    """Reads one request, asks its `OpenAIServer` what to do, and does it."""

    protocol_version = "HTTP/1.1"
    fake: OpenAIServer

    def do_POST(self) -> None:
        content_type = self.headers.get("Content-Type", "")
        body = self._body()
        fields: dict[str, Any] = {}
        files: dict[str, bytes] = {}
        if content_type.startswith("multipart/form-data"):
            fields, files = _form(body, content_type)
        elif body:
            fields = json.loads(body)
        self._send(self.fake.answer(Asked(self.path, self.headers, fields, files)))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, reply: Reply) -> None:
        if reply.hang_s:
            self.fake.over.wait(reply.hang_s)
        self.close_connection = True
        try:
            self.send_response(reply.status)
            for name, value in {"Connection": "close", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
            self.wfile.flush()
        except OSError:
            return  # the client gave up, as some tests want
        if reply.cut:
            # Linger 0 sends a reset instead of a clean end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Keep the tests' output quiet."""
