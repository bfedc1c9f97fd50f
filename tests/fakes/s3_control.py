"""The failing Space as a process of its own, steered by small HTTP requests; and the hand that steers it.

POST /faults {"kind": "slow_down", ...}   DELETE /faults   POST /down   POST /up   GET /seen   DELETE /seen
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.s3_faults import Fault, FaultySpace


class RemoteSpace:
    """A FaultySpace in another process, by the URL of its control."""

    def __init__(self, control: str) -> None:
        self._control = control

    def inject(self, *faults: Fault) -> None:
        """As FaultySpace.inject."""
        for fault in faults:
            self._ask("POST", "/faults", dataclasses.asdict(fault))

    def mend(self) -> None:
        """As FaultySpace.mend."""
        self._ask("DELETE", "/faults")

    def down(self) -> None:
        """As FaultySpace.down."""
        self._ask("POST", "/down")

    def up(self) -> None:
        """As FaultySpace.up."""
        self._ask("POST", "/up")

    def seen(self) -> list[dict[str, Any]]:
        """The requests so far: method, bucket, key, query, range, fault, status, sent, got."""
        found: list[dict[str, Any]] = self._ask("GET", "/seen")
        return found

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        raw = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._control + path, data=raw, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())


def control_of(space: FaultySpace, *, port: int = 0) -> ThreadingHTTPServer:
    """The server that steers a space; serve it, and close it afterwards."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/faults":
                try:
                    space.inject(Fault(**json.loads(raw)))
                except (TypeError, ValueError) as error:
                    self._answer({"error": str(error)}, status=400)
                    return
            else:
                {"/down": space.down, "/up": space.up}[self.path]()
            self._answer({})

        def do_DELETE(self) -> None:
            {"/faults": space.mend, "/seen": space.forget}[self.path]()
            self._answer({})

        def do_GET(self) -> None:
            rows = [dataclasses.asdict(one) for one in space.requests()]
            self._answer([{**row.pop("target"), **row} for row in rows])

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

        def _answer(self, value: object, *, status: int = 200) -> None:
            raw = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Run until killed; the first line printed says where it listens."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.s3_faults")
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control", type=int, default=0)
    options = parser.parse_args()
    with FaultySpace(options.upstream, port=options.port) as space, control_of(space, port=options.control) as control:
        print(json.dumps({"url": space.url, "control": f"http://127.0.0.1:{control.server_port}"}), flush=True)
        control.serve_forever()
