from __future__ import annotations

import pytest

from chatvista.foundation.problems import Problem
from meetings.api.dispositions import filename_of


@pytest.mark.parametrize("charset", ["EBCDIC-9", "undefined", "idna", "punycode", "hex", "utf-7", "unicode_escape"])
@pytest.mark.parametrize("header", ["attachment; filename*={}''a", "attachment; x; filename*=\"{}''a\""])
def test_a_name_in_a_charset_the_web_does_not_know_is_refused(charset: str, header: str) -> None:
    with pytest.raises(Problem) as caught:
        filename_of(header.format(charset))
    assert (caught.value.status, caught.value.code) == (400, "disposition_malformed")


@pytest.mark.parametrize("value", ["UTF-8''%C3%A4.wav", "utf-8'de'%C3%A4.wav", "ISO-8859-1''%E4.wav"])
def test_both_charsets_of_the_web_are_read(value: str) -> None:
    assert filename_of(f"attachment; filename*={value}") == "ä.wav"
