"""Operators' view of the ledger: everything to be seen, nothing to be edited. Their owners archive and restore."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from unfold.admin import ModelAdmin, TabularInline

from storage_sync.inspecting import admin as inspecting  # noqa: F401  registers its pages
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining.admin import ReasonForm, lift_the_hold, put_under_hold


class Ledger:
    """No row of the ledger is made, changed or deleted by hand: it would no longer be the truth."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class CopyInline(Ledger, TabularInline):
    """The copies of a file, on its page."""

    model = Copy
    fields = ("side", "node", "state", "verified_at", "attempts", "next_attempt_at", "error")


@admin.register(StoredFile)
class StoredFileAdmin(Ledger, ModelAdmin):
    """Files with their durability."""

    list_display = ("name", "category", "shown_size", "state", "durability", "tenant_id", "stored_at")
    list_filter = ("state", "category", "is_confidential", "has_legal_hold")
    search_fields = ("id", "name", "key", "sha256", "tenant_id")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    inlines = (CopyInline,)
    actions = (put_under_hold, lift_the_hold)
    action_form = ReasonForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredFile]:
        """With the copies, which the durability is told from."""
        found: QuerySet[StoredFile] = super().get_queryset(request).prefetch_related("copies")
        return found

    @admin.display(description="Size", ordering="size")
    def shown_size(self, file: StoredFile) -> str:
        """The size as people read it."""
        return filesizeformat(file.size)


@admin.register(Copy)
class CopyAdmin(Ledger, ModelAdmin):
    """Copies, the ones in trouble first to filter for."""

    list_display = ("file", "side", "node", "state", "verified_at", "attempts", "next_attempt_at", "error")
    list_filter = ("state", "side", "node")
    search_fields = ("file__id", "file__name", "file__key", "error")
    ordering = ("-id",)
    list_select_related = ("file",)
