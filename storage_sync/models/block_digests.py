"""The sha256 of every MiB of a file, so that a small part of a large file is verified without reading all of it."""

from __future__ import annotations

from django.db import models

from storage_sync.models.stored_file import StoredFile


class BlockDigests(models.Model):
    """Digests of the bytes as they lie on the sides: 32 bytes for each block of 1 MiB, the last block may be shorter.

    In a table of its own, so that a list of files does not carry them along. They were computed in the same pass as
    the file's sha256, or by one whose sha256 agreed.
    """

    file = models.OneToOneField(StoredFile, on_delete=models.CASCADE, primary_key=True, related_name="block_digests")
    digests = models.BinaryField()

    class Meta:
        verbose_name_plural = "block digests"

    def __str__(self) -> str:
        return f"{len(self.digests) // 32} blocks of {self.file_id}"
