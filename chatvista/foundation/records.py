"""What every row has: a UUIDv7 name that sorts by time of birth, and two instants."""

from __future__ import annotations

import secrets
import time
import uuid

from django.db import models


def uuid7() -> uuid.UUID:
    """A new UUIDv7 (RFC 9562, method 3): 48 bits of milliseconds, 12 bits of their fraction, 62 random bits.

    The fraction keeps ids of one process in the order they were made, down to a quarter of a microsecond.
    """
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


class Record(models.Model):
    """Base of every model: an id that says nothing but when, and when the row was made and last changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
