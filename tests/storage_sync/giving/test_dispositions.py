"""Whatever a file is called, the header is one header and the name is one name."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage_sync.giving.dispositions import LONGEST_NAME, clean_filename, content_disposition

HOSTILE = [
    'a".exe', "a\r\nSet-Cookie: x=1", "../../etc/passwd", "..\\..\\boot.ini", "\x00\x01", "", "...", " ", "a;b=c",
    "100%41.txt", "\u202egpj.exe", "\ud800", "名前.mp3", "é" * 500 + ".flac", "a/b", "CON:", "\u2028", "'; drop",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_makes_a_harmless_header(name: str) -> None:
    value = content_disposition(filename=name, inline=False, content_type="audio/flac")
    value.encode("ascii")
    assert value.isprintable()
    assert value.startswith('attachment; filename="')
    plain = value.removeprefix('attachment; filename="').partition('"')[0]
    assert plain
    assert not set(plain) & set('/\\"%')


@given(st.text())
def test_a_clean_name_is_short_and_stays_clean(name: str) -> None:
    cleaned = clean_filename(name)
    assert 0 < len(cleaned) <= LONGEST_NAME
    assert clean_filename(cleaned) == cleaned
    assert not cleaned.startswith(".")


def test_letters_of_any_script_arrive() -> None:
    value = content_disposition(filename="Протокол № 5.pdf", inline=False, content_type="application/pdf")
    assert unquote(value.partition("filename*=UTF-8''")[2]) == "Протокол № 5.pdf"


def test_a_plain_name_needs_no_second_one() -> None:
    value = content_disposition(filename="minutes 5.pdf", inline=True, content_type="application/pdf")
    assert value == 'inline; filename="minutes 5.pdf"'


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/html; charset=utf-8"])
def test_what_could_act_in_our_name_is_never_shown_in_place(kind: str) -> None:
    assert content_disposition(filename="a", inline=True, content_type=kind).startswith("attachment")


def test_a_long_name_keeps_its_ending() -> None:
    assert clean_filename("x" * 400 + ".flac").endswith(".flac")


def test_a_charset_does_not_hide_what_a_file_is() -> None:
    value = content_disposition(filename="a.txt", inline=True, content_type="text/plain; charset=utf-8")
    assert value.startswith("inline")
