"""Operators' view of inspections, unknown objects and nodes, below a board of where the storeroom stands."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.template.defaultfilters import filesizeformat
from unfold.admin import ModelAdmin

from chatvista.foundation.read_only import ReadOnly
from storage_sync.models import Inspection, Node, UnknownObject
from storage_sync.reporting import status
from storage_sync.reporting.storytelling import age

BOARD_SECONDS = 15


def board() -> list[dict[str, str]]:
    """Copies by side and category, what waits and how long, as people read it; at most fifteen seconds old."""
    found: list[dict[str, str]] | None = cache.get("storage-board")
    if found is None:
        found = _board()
        cache.set("storage-board", found, BOARD_SECONDS)
    return found


def _board() -> list[dict[str, str]]:
    lines = []
    for side, counted in status.by_side(status.sides()).items():
        ages = {
            "oldest_pending": age(status.seconds_since(status.oldest_pending(side=side))),
            "oldest_unverified": age(status.seconds_since(status.oldest_unverified(side=side))),
        }
        lines.append({"side": side, "category": "all", **_shown(status.totals(counted)), **ages})
        lines += [{"side": side, "category": line["category"], **_shown(line)} for line in map(status.told, counted)]
    return lines


def _shown(counts: dict[str, Any]) -> dict[str, str]:
    shown = {name: str(counts[name]) for name in ("files", "pending", "missing", "corrupt", "to_be_made")}
    return shown | {"bytes": filesizeformat(counts["bytes"])}


@admin.register(Inspection)
class InspectionAdmin(ReadOnly, ModelAdmin):
    """Reconciliations and scrubs, the latest first, below the board."""

    list_display = (
        "kind", "node", "created_at", "finished_at", "is_dry_run", "files", "bytes_read", "verdicts", "aborted"
    )  # fmt: skip
    list_filter = ("kind", "node", "is_dry_run")
    ordering = ("-created_at",)
    show_full_result_count = False
    list_before_template = "storage_sync/board.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the board."""
        answer: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "board": board()})
        return answer


@admin.register(UnknownObject)
class UnknownObjectAdmin(ReadOnly, ModelAdmin):
    """Objects that no row explains."""

    list_display = ("key", "side", "node", "size", "sightings", "first_seen_at", "last_seen_at", "quarantined_at")
    list_filter = ("side", "node")
    search_fields = ("key",)
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(Node)
class NodeAdmin(ReadOnly, ModelAdmin):
    """The machines with a disk."""

    list_display = ("name", "is_durable", "heartbeat_at", "died_at", "free", "total")
    search_fields = ("name",)
    ordering = ("-heartbeat_at",)

    @admin.display(description="Free", ordering="free_bytes")
    def free(self, node: Node) -> str:
        """Free room as people read it."""
        return filesizeformat(node.free_bytes)

    @admin.display(description="Total", ordering="total_bytes")
    def total(self, node: Node) -> str:
        """All of it."""
        return filesizeformat(node.total_bytes)
