"""Documents that were asked for."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from chatvista.foundation.read_only import ReadOnly
from meetings.models import Export


@admin.register(Export)
class ExportAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Exports and how far they are."""

    list_display = ("meeting", "format", "is_there", "requested_by", "job", "created_at")
    list_filter = ("format", "job__state")
    list_select_related = ("meeting", "file", "requested_by", "job")
    search_fields = ("id", "meeting__title", "file__id", "requested_by__email")
    date_hierarchy = "created_at"
    ordering = ("-id",)

    @admin.display(description="ready", boolean=True)
    def is_there(self, export: Export) -> bool:
        """Whether the document can be fetched."""
        return export.is_ready
