"""A FileField over the default storage, on a model made for these tests alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models, transaction
from django.test.utils import isolate_apps

from storage_sync import keys
from storage_sync.models import StoredFile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]


def read(name: str) -> Any:
    with default_storage.open(name) as found:
        return found.read()


class TestFileField:
    @pytest.fixture
    def document(self) -> Iterator[Any]:
        with isolate_apps("storage_sync"):

            class Document(models.Model):
                file = models.FileField(upload_to="exports", max_length=keys.LONGEST_NEW_KEY)
                short = models.FileField(upload_to="exports", max_length=50, blank=True)

                class Meta:
                    app_label = "storage_sync"

                def __str__(self) -> str:
                    return str(self.file)

            with connection.schema_editor() as editor:
                editor.create_model(Document)
            yield Document
            with connection.schema_editor() as editor:
                editor.delete_model(Document)

    def test_a_field_saves_reads_and_deletes(self, document: Any) -> None:
        made = document.objects.create(file=SimpleUploadedFile("Größe 1.pdf", b"of a field", "application/pdf"))
        found = document.objects.get(pk=made.pk)
        assert found.file.name == made.file.name
        assert found.file.read() == b"of a field"
        assert found.file.size == 10
        found.file.close()
        with found.file.open("rb") as again:
            assert again.read() == b"of a field"
        assert "X-Amz-Signature" in found.file.url
        assert StoredFile.objects.get().content_type == "application/pdf"
        with pytest.raises(NotImplementedError):
            str(found.file.path)
        name = found.file.name
        found.file.delete()
        assert not found.file
        assert not default_storage.exists(name)

    def test_a_field_too_short_for_a_key_refuses(self, document: Any) -> None:
        with pytest.raises(SuspiciousFileOperation, match="max_length"), transaction.atomic():
            document(short=SimpleUploadedFile("a.pdf", b"x")).save()
        assert not StoredFile.objects.exists()

    def test_a_field_survives_pickling(self, document: Any) -> None:
        made = document(file=ContentFile(b"kept", name="a.txt"))
        made.file.save("a.txt", ContentFile(b"kept"), save=False)
        state = made.file.__getstate__()
        assert state["name"] == made.file.name
        assert read(made.file.name) == b"kept"
