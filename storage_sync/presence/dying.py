"""What the ledger says of copies whose node died or got another disk, until it has looked what of them its disk has."""

from __future__ import annotations

DIED, REPLACED = "node_dead", "disk_replaced"
"""The `error` of such copies: they do not count, and may be right all the same."""
