from __future__ import annotations

import pytest
from django.core.management import call_command


def test_every_operation_is_described_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert "operationId: recording_add" in capsys.readouterr().out
