"""Keys tell nothing, never repeat, and lead nowhere."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from storage_sync import keys

DAY = dt.date(2026, 11, 3)


def test_a_key_names_category_month_file_and_version() -> None:
    file_id = uuid.uuid4()
    parts = keys.new_key(category="recordings", file_id=file_id, extension="flac", on=DAY).split("/")
    assert parts[:4] == ["recordings", "2026", "11", str(file_id)]
    assert parts[4].endswith(".flac")


def test_every_version_has_a_key_of_its_own() -> None:
    file_id = uuid.uuid4()
    made = {keys.new_key(category="minutes", file_id=file_id, extension="", on=DAY) for _ in range(100)}
    assert len(made) == 100


def test_a_key_leads_back_to_its_file_archived_or_not() -> None:
    file_id = uuid.uuid4()
    key = keys.new_key(category="exports", file_id=file_id, extension="pdf", on=DAY)
    assert keys.file_id_of(key) == keys.file_id_of(keys.archive_key(key)) == file_id
    assert keys.live_key(keys.archive_key(key)) == key
    assert keys.archive_key(keys.archive_key(key)) == keys.archive_key(key)


@pytest.mark.parametrize("text", ["", "recordings", "a/b/c/not-an-id/e", "a/b/c/d/e/f"])
def test_what_is_no_key_belongs_to_no_file(text: str) -> None:
    assert keys.file_id_of(text) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("mp3", "mp3"),
        (".MP3", "mp3"),
        ("talk.final.Flac", "flac"),
        ("", ""),
        ("../../etc/passwd", ""),
        ("a/b", ""),
        ("waytoolongextension", ""),
        ("mp3\x00", ""),
        ("mp\u00e9", ""),
        ("sh;rm", ""),
    ],
)
def test_of_an_extension_only_letters_and_digits_are_kept(given: str, kept: str) -> None:
    assert keys.clean_extension(given) == kept


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "/etc/passwd", "..", "a/../b", "a/./b", "a//b", "a/", "a/.hidden", "a\\b", "a/b\x00", "a/b\n", "~/a",
        "a/" + "x" * 300, "a b/c", "ä/b", "C:/a",
    ],
)  # fmt: skip
def test_what_could_leave_a_side_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        keys.require_safe(key)
