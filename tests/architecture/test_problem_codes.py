"""Every code that can leave the house is explained, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from chatvista.foundation.envelope import CODES
from chatvista.settings.environment import CHECKOUT

RAISED = {"Problem", "TransientError", "PermanentError", "BusyCloudError"}
# Raised with a code that is worked out at run time.
COMPUTED = {"disk_failed", "disk_full", "took_too_long", "internal_error"}


def codes_in_source() -> Iterator[str]:
    for folder in ("chatvista", "accounts", "meetings", "storage_sync", "backups"):
        for path in (CHECKOUT / folder).rglob("*.py"):
            if "embedded" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED and node.args:
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield first.value


def test_the_documents_explain_exactly_the_codes_there_are() -> None:
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", (CHECKOUT / "docs/problems.md").read_text(), re.MULTILINE))
    assert explained == set(codes_in_source()) | set(CODES.values()) | COMPUTED
