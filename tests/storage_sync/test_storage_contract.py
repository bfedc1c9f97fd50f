"""Django's contract of a Storage, sentence by sentence of its File storage API, held by the default storage.

What a Storage of unchangeable files cannot promise is tested, too: that it says so.
"""

from __future__ import annotations

import datetime as dt
import io
import pickle
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage, storages
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile, TemporaryUploadedFile
from django.db import transaction
from django.db.migrations.writer import MigrationWriter
from django.utils import timezone
from pytest_django.fixtures import Settings

from storage_sync import keys
from storage_sync.models import StoredFile
from storage_sync.storage import LedgerStorage
from tests.storage_sync.making import names_below

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]


def save(name: str = "exports/a.txt", data: bytes = b"bytes") -> str:
    return default_storage.save(name, ContentFile(data))


def read(name: str) -> Any:
    with default_storage.open(name) as found:
        return found.read()


class TestSave:
    def test_returns_the_actual_name(self) -> None:
        name = save("avatars/me.png")
        assert name != "avatars/me.png"
        assert default_storage.exists(name)
        assert not default_storage.exists("avatars/me.png")

    def test_takes_the_name_of_the_content_where_none_is_given(self) -> None:
        name = default_storage.save(None, ContentFile(b"x", name="exports/from-content.pdf"))
        assert name.endswith(".pdf")

    @pytest.mark.parametrize(
        "make",
        [
            lambda: ContentFile(b"some bytes"),
            lambda: ContentFile("some bytes"),
            lambda: io.BytesIO(b"some bytes"),
            lambda: io.StringIO("some bytes"),
            lambda: File(io.BytesIO(b"some bytes")),
            lambda: SimpleUploadedFile("a.txt", b"some bytes"),
            lambda: InMemoryUploadedFile(io.BytesIO(b"some bytes"), None, "a.txt", "text/plain", 10, None),
        ],
        ids=["bytes", "str", "BytesIO", "StringIO", "File", "SimpleUploadedFile", "InMemoryUploadedFile"],
    )
    def test_takes_anything_that_reads_like_a_file(self, make: Callable[[], Any]) -> None:
        assert read(default_storage.save("exports/a.txt", make())) == b"some bytes"

    def test_takes_a_temporary_upload(self) -> None:
        with TemporaryUploadedFile("a.txt", "text/plain", 0, None) as upload:
            upload.write(b"on disk")
            upload.flush()
            assert read(default_storage.save("exports/a.txt", upload)) == b"on disk"

    def test_takes_a_file_of_this_disk(self, tmp_path: Path) -> None:
        (tmp_path / "there").write_bytes(b"y" * 200_000)
        with (tmp_path / "there").open("rb") as source:
            assert read(default_storage.save("exports/a.bin", File(source))) == b"y" * 200_000

    def test_saves_from_the_beginning_wherever_the_content_stands(self) -> None:
        content = ContentFile(b"all of it")
        content.read()
        assert read(default_storage.save("exports/a.txt", content)) == b"all of it"

    @pytest.mark.parametrize("text", ["", "Grüße ☺", "\N{MUSICAL SYMBOL G CLEF}" * 30_000])
    def test_text_is_utf_8(self, text: str) -> None:
        name = default_storage.save("transcripts/a.txt", ContentFile(text))
        assert read(name) == text.encode()
        assert default_storage.size(name) == len(text.encode())

    def test_no_bytes_at_all_are_a_file(self) -> None:
        name = save(data=b"")
        assert (read(name), default_storage.size(name), default_storage.exists(name)) == (b"", 0, True)

    def test_a_content_that_fails_leaves_nothing(self, storeroom: Path) -> None:
        class Failing(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                if self.tell():
                    raise OSError("the client went away")
                return super().read(size)

        with pytest.raises(OSError, match="went away"):
            default_storage.save("exports/a.bin", File(Failing(b"x" * 200_000)))
        assert not StoredFile.objects.exists()
        assert names_below(storeroom) == []

    def test_inside_a_transaction_it_is_refused_and_leaves_nothing(
        self, storeroom: Path, transactional_db: None
    ) -> None:
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            save()
        assert not StoredFile.objects.exists()
        assert names_below(storeroom) == []


class TestNames:
    def test_the_same_name_never_collides(self) -> None:
        names = {save(data=str(number).encode()) for number in range(4)}
        assert len(names) == 4
        assert sorted(read(name) for name in names) == [b"0", b"1", b"2", b"3"]

    @pytest.mark.parametrize(
        "name", ["exports/Ünïcødé ☺ имя.pdf", "exports/e\u0301.pdf", "exports/a b+c%20d&e=f.pdf", "exports/שלום.pdf"]
    )
    def test_unicode_and_odd_letters_are_kept_as_the_name_people_see(self, name: str) -> None:
        key = save(name)
        assert key.isascii()
        assert StoredFile.objects.get().name == name.partition("/")[2]

    @pytest.mark.parametrize(
        "name", ["exports/" + "n" * 400 + ".pdf", "exports/a", "exports/.hidden", "exports/a.tar.gz"]
    )
    def test_long_and_odd_names_are_saved(self, name: str) -> None:
        key = save(name)
        assert len(key) <= keys.LONGEST_NEW_KEY
        assert default_storage.exists(key)

    def test_generate_filename_makes_what_save_takes(self) -> None:
        name = default_storage.generate_filename("exports/2026/Was für ein Name?.pdf")
        assert name == "exports/2026/Was_für_ein_Name.pdf"
        assert default_storage.exists(save(name))

    def test_get_valid_and_alternative_and_available_name(self) -> None:
        assert default_storage.get_valid_name("a b/c?.txt") == "a_bc.txt"
        assert default_storage.get_alternative_name("a", ".txt") != default_storage.get_alternative_name("a", ".txt")
        assert default_storage.get_available_name("exports/a.txt") == "exports/a.txt"
        assert default_storage.is_name_available("exports/a.txt")
        assert not default_storage.is_name_available(save())

    def test_a_key_that_would_not_fit_is_refused_before_anything_is_stored(self, storeroom: Path) -> None:
        assert default_storage.save("exports/a.txt", ContentFile(b"x"), max_length=100)
        with pytest.raises(SuspiciousFileOperation, match="max_length"):
            default_storage.save("exports/a.txt", ContentFile(b"x"), max_length=99)
        assert StoredFile.objects.count() == 1
        assert len(names_below(storeroom)) == 1

    def test_the_longest_key_is_as_long_as_it_is_said(self) -> None:
        longest = keys.new_key(
            category="transcripts", file_id=uuid.uuid4(), extension="x" * 10, on=dt.date(2026, 11, 1)
        )
        assert len(longest) == keys.LONGEST_NEW_KEY

    @pytest.mark.parametrize("name", ["../x", "a/../../b", "..", ".", "", "/etc/passwd", "exports/..", "exports/x\x00"])
    def test_nothing_is_saved_under_a_name_that_leads_out(self, name: str, storeroom: Path) -> None:
        with pytest.raises(SuspiciousFileOperation):
            default_storage.save(name, ContentFile(b"x"))
        assert not StoredFile.objects.exists()
        assert names_below(storeroom.parent) == []

    @pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b", "a\\..\\b", "a\x00b"])
    def test_nothing_is_found_under_a_name_that_leads_out(self, name: str) -> None:
        for act in (
            default_storage.open, default_storage.exists, default_storage.delete, default_storage.size,
            default_storage.url, default_storage.listdir, default_storage.get_created_time,
        ):  # fmt: skip
            with pytest.raises(SuspiciousFileOperation):
                act(name)


class TestOpen:
    def test_gives_a_file_with_chunks_lines_and_size(self) -> None:
        name = save(data=b"one\ntwo\n" * 20_000)
        with default_storage.open(name) as found:
            assert isinstance(found, File)
            assert (found.name, found.size, len(found)) == (name, 160_000, 160_000)
            assert found.multiple_chunks()
            assert b"".join(found.chunks(1000)) == b"one\ntwo\n" * 20_000
            assert list(found)[:2] == [b"one\n", b"two\n"]
            assert found.seek(4) == 4
            assert found.read(3) == b"two"
        assert found.closed

    def test_a_closed_file_can_be_opened_again(self) -> None:
        found = default_storage.open(save(data=b"again"))
        assert found.read() == b"again"
        assert found.open().read() == b"again"
        found.close()
        with found.open() as once_more:
            assert once_more.read() == b"again"

    def test_text_is_read_in_text_mode(self) -> None:
        name = default_storage.save("transcripts/a.txt", ContentFile("Grüße\n☺\n"))
        for mode in ("r", "rt"):
            with default_storage.open(name, mode) as found:
                assert found.read() == "Grüße\n☺\n"

    @pytest.mark.parametrize("mode", ["wb", "w", "ab", "r+b", "xb", "", "nonsense"])
    def test_a_stored_file_is_never_written(self, mode: str) -> None:
        name = save()
        with pytest.raises(ValueError, match="never changes"):
            default_storage.open(name, mode)
        assert read(name) == b"bytes"

    def test_what_is_not_there_is_a_file_not_found(self) -> None:
        for name in ("exports/never.txt", keys.new_key(
            category="exports", file_id=uuid.uuid4(), extension="txt", on=dt.date(2026, 11, 1)
        )):  # fmt: skip
            for act in (default_storage.open, default_storage.size, default_storage.url,
                        default_storage.get_created_time, default_storage.get_modified_time,
                        default_storage.get_accessed_time):  # fmt: skip
                with pytest.raises(FileNotFoundError):
                    act(name)


class TestTheRest:
    def test_there_is_no_path(self) -> None:
        with pytest.raises(NotImplementedError):
            default_storage.path(save())

    def test_delete_makes_it_disappear_and_what_is_missing_is_fine(self) -> None:
        name = save()
        default_storage.delete(name)
        assert not default_storage.exists(name)
        default_storage.delete(name)
        default_storage.delete("exports/never.txt")
        with pytest.raises(ValueError, match="must be given"):
            default_storage.delete("")

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
    def test_times_are_aware_and_right(self, zone: str, settings: Settings) -> None:
        settings.TIME_ZONE = zone
        assert settings.USE_TZ
        name = save()
        for told in (
            default_storage.get_created_time, default_storage.get_modified_time, default_storage.get_accessed_time
        ):  # fmt: skip
            assert timezone.is_aware(told(name))
            assert abs(told(name) - timezone.now()) < dt.timedelta(seconds=30)

    def test_it_can_be_pickled_deconstructed_and_written_into_a_migration(self) -> None:
        assert isinstance(pickle.loads(pickle.dumps(storages["default"])), LedgerStorage)
        path, args, kwargs = cast("Any", LedgerStorage()).deconstruct()
        assert (path, args, kwargs) == ("storage_sync.storage.LedgerStorage", (), {})
        written, _ = MigrationWriter.serialize(LedgerStorage())
        assert written == "storage_sync.storage.LedgerStorage()"

    def test_every_public_method_is_there(self) -> None:
        ours, base = LedgerStorage(), Storage()
        missing = {"path"}
        for name in ("delete", "exists", "listdir", "size", "url", "get_accessed_time", "get_created_time",
                     "get_modified_time"):  # fmt: skip
            assert getattr(type(ours), name) is not getattr(type(base), name), name
        assert missing == {name for name in ("path",) if getattr(type(ours), name) is getattr(type(base), name)}
