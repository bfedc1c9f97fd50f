"""The WSGI door: `gunicorn chatvista.wsgi`."""

from __future__ import annotations

import os
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from chatvista.foundation.lingering import Lingering

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatvista.settings")


class TolerantRequest(WSGIRequest):
    """A request whose Content-Type may be nonsense: Django would fail before anything of ours could answer."""

    def __init__(self, environ: dict[str, Any]) -> None:
        try:
            parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):
            # As if there were none: a view that takes a body answers 415.
            environ["CONTENT_TYPE"] = ""
        super().__init__(environ)


def _handler() -> WSGIHandler:
    handler = get_wsgi_application()
    handler.request_class = TolerantRequest
    return handler


application = Lingering(_handler())
