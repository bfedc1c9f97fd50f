"""Cutting chunks into parts."""

from __future__ import annotations

import time

import pytest

from storage_sync.fingerprints import BLOCK_BYTES
from storage_sync.models import UploadState
from storage_sync.uploading import holding, parting
from storage_sync.uploading.parting import Parting
from tests.storage_sync.making import space
from tests.storage_sync.uploading.conftest import Begin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes", "patient_leases")]


@pytest.mark.parametrize("size", [1, BLOCK_BYTES])
def test_parts_too_small_for_a_sealed_piece_are_refused(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Nothing would ever fit into one, and taking bytes would never end."""
    monkeypatch.setattr(parting, "PART_BYTES", size)
    hold = holding.hold(upload_id=begin(1000, is_confidential=True).pk, state=UploadState.OPEN)
    with pytest.raises(ValueError, match="no room"):
        Parting(hold=hold, side=space(), until=time.monotonic() + 60)
