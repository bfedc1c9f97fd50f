"""The sample's steps that must not repeat themselves at a second run."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chatvista.embedded.client import Client
from chatvista.embedded.demonstrating import _Demonstration
from chatvista.embedded.home import Home


def test_who_speaks_in_the_sample_is_invited_once(httpserver: HTTPServer, tmp_path: Path) -> None:
    present: list[dict[str, str]] = [{"name": "Hana Host", "email": "host@chatvista.localhost", "role": "host"}]

    def answer(request: Request) -> Response:
        if request.method == "POST":
            present.append(request.get_json())
        return Response(json.dumps({"results": present}), status=201 if request.method == "POST" else 200)

    httpserver.expect_request("/api/v1/meetings/1/participants").respond_with_handler(answer)
    for _ in range(2):
        _Demonstration(home=Home(tmp_path), client=Client(httpserver.url_for("")))._invite("1")
    names = [(person["name"], person["role"]) for person in present[1:]]
    assert names == [("Hannah", "host"), *((name, "participant") for name in ("Daniel", "Andrew", "Peter"))]
    assert len({person["email"] for person in present}) == len(present)
