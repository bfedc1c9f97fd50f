"""What happens before Django has a request."""

from __future__ import annotations

import io
import json
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from chatvista.wsgi import application


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["text/plain; a*=nope''x", "text/plain; a*=undefined''x", "a*=nope''x", ";" * 500])
def test_a_content_type_of_nonsense_is_no_fault_of_ours(kind: str) -> None:
    body = b"x"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/auth/login", "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "HTTP_HOST": "testserver",
    }  # fmt: skip
    setup_testing_defaults(environ)
    said: list[str] = []
    answer = application(environ, lambda status, headers: said.append(status))
    problem = json.loads(b"".join(answer))
    getattr(answer, "close", lambda: None)()
    assert said == ["415 Unsupported Media Type"]
    assert problem["code"] == "unsupported_media_type"
