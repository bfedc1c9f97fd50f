"""Input that is taken literally: unknown members are refused, and no type passes for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


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
