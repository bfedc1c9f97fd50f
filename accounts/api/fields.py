"""Fields that take text and nothing else: DRF's own would turn the number 5 into "5"."""

from __future__ import annotations

import unicodedata
from typing import Any

from rest_framework import serializers

from accounts.models.user import LONGEST_EMAIL, normalised_email


class TextField(serializers.CharField):
    """A JSON string, as it came."""

    def to_internal_value(self, data: Any) -> str:
        """The string; a number, boolean, list, object or null does not validate."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LineField(TextField):
    """A name of something: one line without control characters, since names end up in e-mail headers and logs."""

    default_error_messages = {"not_one_line": "Must be one line without control characters."}

    def to_internal_value(self, data: Any) -> str:
        """The trimmed line."""
        line = super().to_internal_value(data)
        if any(unicodedata.category(letter) == "Cc" for letter in line):
            self.fail("not_one_line")
        return line


class AddressField(serializers.EmailField):
    """An e-mail address in its normalised spelling, which is the one that is then validated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_EMAIL, **options)

    def to_internal_value(self, data: Any) -> str:
        """The address in lower case."""
        if not isinstance(data, str):
            self.fail("invalid")
        # Refused, not cut: what is counted as one account must not be another once it is cut.
        if len(data) > LONGEST_EMAIL * 2:
            self.fail("max_length", max_length=LONGEST_EMAIL)
        return normalised_email(super().to_internal_value(data))


class PasswordField(TextField):
    """A password, exactly as typed. Bounded, because hashing a megabyte is work that anybody could ask for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=1024, trim_whitespace=False, write_only=True, style={"input_type": "password"}, **options
        )
