"""Uploads of notes: a purpose of the tests' own, which takes any bytes but those that begin with `bad`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from chatvista.foundation.models import Job
from chatvista.foundation.problems import Problem
from storage_sync.models import StoredFile, Upload, UploadKind
from storage_sync.uploading import beginning, holding, parting, purposes
from storage_sync.uploading.purposes import Facts, Purpose
from tests.storage_sync.uploading.sources import PART

Begin = Callable[..., Upload]


class Notes:
    """What the purpose was asked; `owned` are the files it owns."""

    def __init__(self) -> None:
        self.owned: list[uuid.UUID] = []
        self.refusal: Problem | None = None

    def refuse(self, upload: Upload) -> None:
        if self.refusal is not None:
            raise self.refusal

    def probe(self, upload: Upload, media: Path | BinaryIO) -> Facts:
        first = media.read_bytes()[:3] if isinstance(media, Path) else media.read(3)
        if first == b"bad":
            raise Problem("not_a_note", "These are no notes.", status=415)
        return Facts("text/plain", "txt", {})

    def own(self, upload: Upload, file: StoredFile, facts: Facts, job: Job | None) -> None:
        self.owned.append(file.pk)


@pytest.fixture
def notes(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
    """The purpose, known for one test."""
    taker = Notes()
    monkeypatch.setattr(purposes, "_purposes", dict(purposes._purposes))
    # Cut small: what is tested here is where parts begin and end, not how long they take.
    monkeypatch.setattr(parting, "PART_BYTES", PART)
    purposes.register(Purpose("notes", refuse=taker.refuse, probe=taker.probe, own=taker.own))
    return taker


@pytest.fixture
def patient_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that no heartbeat has to renew: it could not see into the transaction of a test."""
    monkeypatch.setattr(holding, "LEASE_SECONDS", 600.0)


@pytest.fixture
def begin(notes: Notes) -> Begin:
    """Begin an upload of so many bytes."""

    def give(size: int, **more: object) -> Upload:
        wanted: dict[str, object] = {
            "kind": UploadKind.CHUNKS, "purpose": "notes", "params": {}, "category": "recordings", "name": "notes.txt",
            "content_type": "text/plain", "extension": "txt", "tenant_id": uuid.uuid4(), "owner_id": uuid.uuid4(),
        }  # fmt: skip
        return beginning.begin(**(wanted | more), size=size)  # type: ignore[arg-type]  # tests name what they mean

    return give
