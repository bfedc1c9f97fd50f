"""Where a request comes from: what may be believed about it."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def address_of(request: Request | HttpRequest) -> str:
    """The address the request came from, or an empty text.

    Behind the platform's proxy it is the last entry of X-Forwarded-For, which the proxy wrote itself: what stands
    before it came from the client, and a client that invents addresses would never meet a limit.
    """
    given = request.META.get("REMOTE_ADDR", "")
    if not settings.PLAIN_HTTP:
        given = request.META.get("HTTP_X_FORWARDED_FOR", given).rpartition(",")[2]
    try:
        return str(ipaddress.ip_address(given.strip()))
    except ValueError:
        return ""


def network_of(request: Request | HttpRequest) -> str:
    """What is counted as one address: the /64 of an IPv6 one, which is the least that anybody is given."""
    address = address_of(request)
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
