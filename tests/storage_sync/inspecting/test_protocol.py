"""No collector takes bytes that are referred to (guarantee G9): every interleaving, and mutants that are caught."""

from __future__ import annotations

import pytest

from tests.storage_sync.inspecting import protocol


def test_no_interleaving_loses_a_visible_file() -> None:
    worlds, wrong, path = protocol.explore()
    assert wrong == "", "\n".join([wrong, *path])
    assert worlds > 10_000


@pytest.mark.parametrize(
    "mutant",
    [
        "unfenced TX2",
        "delete before flip",
        "empty blindly",
        "impatient",
        "no patience",
        "no second look",
        "one look",
        "no row compared",
        "key alone compared",
    ],
)
def test_without_this_safeguard_a_file_is_lost(mutant: str) -> None:
    _, wrong, path = protocol.explore([mutant])
    assert wrong, f"nothing goes wrong without it: is {mutant!r} a safeguard?"
    assert path
