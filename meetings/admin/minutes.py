"""Minutes, their lines, and what those rest on."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from chatvista.foundation.read_only import ReadOnly
from meetings.models import ActionItem, Citation, Minutes, MinutesItem, Section


class MinutesItemInline(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold is untyped
    """The lines of minutes, on their page."""

    model = MinutesItem
    fields = ("section", "position", "text", "owner_name", "due_on", "status")


class CitationInline(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold is untyped
    """The evidence of a line, on its page."""

    model = Citation
    fields = ("position", "segment", "start_ms", "quote")


@admin.register(Minutes)
class MinutesAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Every version of all minutes."""

    list_display = ("meeting", "version", "shown_status", "template", "language", "engine", "model", "created_at")
    list_filter = ("status", "template", "engine", "job__state")
    list_select_related = ("meeting", "job")
    search_fields = ("id", "meeting__title")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    inlines = (MinutesItemInline,)


@admin.register(MinutesItem)
class MinutesItemAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Lines over all minutes."""

    list_display = ("text", "section", "position", "minutes__meeting", "minutes__version", "created_at")
    list_filter = ("section",)
    list_select_related = ("minutes__meeting",)
    search_fields = ("id", "text", "minutes__meeting__title")
    ordering = ("-id",)
    inlines = (CitationInline,)


@admin.register(ActionItem)
class ActionItemAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """What somebody has to do, over all meetings."""

    list_display = ("text", "owner", "owner_name", "due_on", "status", "minutes__meeting", "minutes__version")
    list_filter = ("status", "due_on")
    list_select_related = ("minutes__meeting", "owner")
    search_fields = ("id", "text", "owner_name", "minutes__meeting__title")
    date_hierarchy = "due_on"
    ordering = ("-id",)
    inlines = (CitationInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ActionItem]:
        """Of the lines of minutes those that are to be done."""
        found: QuerySet[ActionItem] = super().get_queryset(request)
        return found.filter(section=Section.ACTION_ITEMS)


@admin.register(Citation)
class CitationAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """What lines of minutes rest on."""

    list_display = ("quote", "item", "segment", "start_ms")
    list_select_related = ("item", "segment")
    search_fields = ("id__exact", "item__id__exact", "segment__id__exact", "quote")
    show_full_result_count = False
    ordering = ("-id",)
