"""Input that is taken literally: unknown members are refused, and no type passes for another."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from rest_framework import serializers

from accounts.api.fields import TextField

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_OFFSET = re.compile(r"(Z|z|[+-]\d{2}:?\d{2})$")
_YEARS = range(1970, 2201)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses members it does not take: a misspelt or read-only one would otherwise be silently lost."""

    def to_internal_value(self, data: Any) -> Any:
        """Validated values, or a message for every member that is not taken."""
        if isinstance(data, Mapping):
            taken = {name for name, field in self.fields.items() if not field.read_only}
            refused = {str(name): ["This member is unknown or read-only."] for name in data if name not in taken}
            if refused:
                raise serializers.ValidationError(refused)
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """true or false; not "yes", 1 or null."""

    def to_internal_value(self, data: Any) -> bool:
        """The boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class CountField(serializers.IntegerField):
    """A JSON integer; not "3", 3.0 or true."""

    def to_internal_value(self, data: Any) -> int:
        """The integer."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


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


class IdField(serializers.UUIDField):
    """A UUID in its text form; an integer would be one to DRF as well."""

    def to_internal_value(self, data: Any) -> Any:
        """The UUID."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class WordField(serializers.ChoiceField):
    """One of a few words; a number, list or object is none."""

    def to_internal_value(self, data: Any) -> Any:
        """The word."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return super().to_internal_value(data)


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
