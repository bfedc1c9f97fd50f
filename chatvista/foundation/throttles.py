"""How often something may be asked, counted in Valkey so that every instance counts together.

A named throttle says how much, per whom, and what happens while Valkey is away: most let requests through,
those that guard a password turn them away. Which endpoint has which throttle is said at the endpoint.
"""

from __future__ import annotations

import hashlib
import math
import time
import unicodedata
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.connection import ConnectionPool
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from chatvista.foundation.addresses import network_of
from chatvista.foundation.problems import Problem

logger = structlog.get_logger(__name__)


class NamedThrottle(BaseThrottle, ABC):
    """At most `amount()` requests of one identity within any `seconds`; a moving window, exact under concurrency."""

    name: ClassVar[str]
    seconds: ClassVar[int] = 60
    is_closed_without_redis: ClassVar[bool] = False
    _retry_after: int | None = None

    @abstractmethod
    def amount(self) -> int:
        """How many requests are let through within the window."""

    def identity(self, request: Request) -> str:
        """Who is counted together; by default everything from one address."""
        return network_of(request)

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request; False when it is one too many. Sets the RateLimit headers of the answer either way."""
        limit = RateLimitItemPerSecond(self.amount(), self.seconds, namespace=self.name)
        # Hashed, since identities hold e-mail addresses and whatever else a client sends, of any length.
        who = hashlib.sha256(self.identity(request).encode()).hexdigest()
        try:
            limiter = _limiter()
            is_allowed = limiter.hit(limit, who)
            window = limiter.get_window_stats(limit, who)
        except RedisError as error:
            logger.warning("throttle_without_redis", throttle=self.name, error=str(error))
            if not self.is_closed_without_redis:
                return True
            raise Problem(
                "unavailable", "This cannot be done safely right now; try again.", status=503, retry_after=5
            ) from error
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        # The names and shapes of draft-ietf-httpapi-ratelimit-headers-10.
        view.headers["RateLimit-Policy"] = f'"{self.name}";q={limit.amount};w={self.seconds}'
        view.headers["RateLimit"] = f'"{self.name}";r={max(0, window.remaining)};t={seconds}'
        self._retry_after = None if is_allowed else seconds
        return is_allowed

    def wait(self) -> int | None:
        """Seconds until the next request may be let through (header Retry-After)."""
        return self._retry_after


class RegistrationThrottle(NamedThrottle):
    """New accounts from one address."""

    name = "registration"
    is_closed_without_redis = True

    def amount(self) -> int:
        """As the operator set it."""
        return int(settings.REGISTRATIONS_PER_MINUTE)


class LoginThrottle(NamedThrottle):
    """Attempts at one account from one address: together, so that nobody can lock somebody else out."""

    name = "login"
    is_closed_without_redis = True

    def amount(self) -> int:
        """As the operator set it."""
        return int(settings.LOGINS_PER_MINUTE)

    def identity(self, request: Request) -> str:
        """The address and whatever was given as the account, in one spelling: the one accounts are looked up by."""
        given: Any = request.data.get("email")
        account = unicodedata.normalize("NFKC", given.strip()).lower() if isinstance(given, str) else ""
        return f"{network_of(request)} {account}"


def limiter_on(pool: ConnectionPool, *, prefix: str) -> MovingWindowRateLimiter:
    """A limiter that counts on the given connections, in keys below `prefix`."""
    return MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix=f"{prefix}:limits"))


@lru_cache(maxsize=1)
def _limiter() -> MovingWindowRateLimiter:
    """One per process, on the cache's own connections and under its key prefix."""
    pool = get_redis_connection("default").connection_pool
    return limiter_on(pool, prefix=str(settings.CACHES["default"]["KEY_PREFIX"]))
