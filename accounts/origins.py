"""Where a sign-in comes from, as far as the request tells."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework.request import Request

from chatvista.foundation.addresses import address_of

LONGEST_USER_AGENT = 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Address and program of the client; both may be unknown."""

    address: str | None = None
    user_agent: str = ""


def origin_of(request: Request) -> Origin:
    """The origin of a request, cut to what a session keeps."""
    agent = request.headers.get("User-Agent", "").encode("utf-8", "replace").decode().replace("\x00", "")
    return Origin(address=address_of(request) or None, user_agent=agent[:LONGEST_USER_AGENT])
