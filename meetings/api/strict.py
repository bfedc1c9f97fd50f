"""Input that is taken literally, as in the cellar's `strict`: here are instants, days, languages and zones."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime
from functools import lru_cache
from typing import Any

from rest_framework import serializers

from accounts.api.fields import TextField
from chatvista.foundation.strict import CountField, FlagField, IdField, StrictSerializer, WordField

__all__ = [
    "CountField",
    "DayField",
    "FlagField",
    "IdField",
    "InstantField",
    "LanguageField",
    "StrictSerializer",
    "TimezoneField",
    "WordField",
]

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_OFFSET = re.compile(r"(Z|z|[+-]\d{2}:?\d{2})$")
_YEARS = range(1970, 2201)


class InstantField(serializers.DateTimeField):
    """ISO 8601 with an offset: a local time without one would be read in a zone nobody named."""

    default_error_messages = {
        "no_offset": "Give the offset from UTC too, e.g. 2026-11-23T10:00:00Z.",
        "far": "Give a year from 1970 to 2200.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        """The instant."""
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss[.uuuuuu]{Z|+HH:MM}")
        instant: datetime = super().to_internal_value(value)
        if not _OFFSET.search(value.strip()):
            self.fail("no_offset")
        if instant.year not in _YEARS:
            self.fail("far")
        return instant


class DayField(serializers.DateField):
    """A calendar day, YYYY-MM-DD."""

    def to_internal_value(self, value: Any) -> Any:
        """The day."""
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class LanguageField(TextField):
    """A BCP 47 tag such as `en` or `pt-BR`; empty lets the engine tell."""

    default_error_messages = {"no_tag": "Give a BCP 47 tag such as en or pt-BR."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=20, allow_blank=True, **options)

    def to_internal_value(self, data: Any) -> str:
        """The tag."""
        tag = super().to_internal_value(data)
        if tag and not _LANGUAGE.fullmatch(tag):
            self.fail("no_tag")
        return tag


class TimezoneField(TextField):
    """An IANA time zone such as `Europe/Berlin`."""

    default_error_messages = {"unknown": "Give an IANA time zone such as Europe/Berlin."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)

    def to_internal_value(self, data: Any) -> str:
        """The zone's name."""
        name = super().to_internal_value(data)
        if name not in _zones():
            self.fail("unknown")
        return name


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
