"""Listing folders of keys: what is there, and by the index."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from storage_sync.models import StoredFile
from storage_sync.retaining import archiving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]


def save(name: str = "exports/a.txt", data: bytes = b"bytes") -> str:
    return default_storage.save(name, ContentFile(data))


class TestListing:
    def test_each_level_shows_what_is_directly_below(self) -> None:
        one, two = save("exports/a.txt"), save("recordings/b.flac")
        category, year, month, file, version = one.split("/")
        assert default_storage.listdir("") == (["exports", "recordings"], [])
        assert default_storage.listdir(".") == default_storage.listdir("")
        assert default_storage.listdir(category) == ([year], [])
        assert default_storage.listdir(f"{category}/{year}/") == ([month], [])
        assert default_storage.listdir(f"{category}/{year}/{month}") == ([file], [])
        assert default_storage.listdir(f"{category}/{year}/{month}/{file}") == ([], [version])
        assert two.split("/")[3] not in str(default_storage.listdir(f"exports/{year}/{month}"))

    @pytest.mark.parametrize("path", ["nothing", "exports/1900", "exports/2026/99", "a/b/c/d/e/f", "minutes"])
    def test_a_folder_that_is_not_there_is_empty(self, path: str) -> None:
        save()
        assert default_storage.listdir(path) == ([], [])

    def test_archived_files_are_gone_and_restored_ones_back_at_once(self) -> None:
        name = save()
        file = StoredFile.objects.get()
        archiving.archive(file)
        archiving.move_archived()
        assert default_storage.listdir("") == ([], [])
        archiving.restore(file)
        folder, _, last = name.rpartition("/")
        assert default_storage.listdir("") == (["exports"], [])
        assert default_storage.listdir(folder) == ([], [last])

    def test_it_asks_the_index_and_not_every_row(self) -> None:
        months = [f"{year}/{month:02}" for year in range(2024, 2027) for month in range(1, 13)]
        StoredFile.objects.bulk_create(
            StoredFile(
                category="recordings", name="n", key=f"recordings/{month}/{uuid.uuid4()}/{uuid.uuid4().hex}.flac",
                content_type="audio/flac", size=1, state="stored", stored_at=timezone.now(),
            )
            for month in months
            for _ in range(300)
        )  # fmt: skip
        save()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE storage_sync_storedfile")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert default_storage.listdir("exports/2026")[0]
        for query in asked.captured_queries:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {query['sql']}")
                plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan" not in plan, plan
