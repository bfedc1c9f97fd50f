"""Operators' view of the ledger: everything to be seen, nothing to be edited. Their owners archive and restore."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from unfold.admin import ModelAdmin, TabularInline

from chatvista.foundation.read_only import ReadOnly
from storage_sync.inspecting import admin as inspecting  # noqa: F401  registers its pages
from storage_sync.models import BlockDigests, Canary, Copy, Remnant, StoredFile, Upload
from storage_sync.retaining.admin import ReasonForm, lift_the_hold, put_under_hold


class CopyInline(ReadOnly, TabularInline):
    """The copies of a file, on its page."""

    model = Copy
    fields = ("side", "node", "state", "verified_at", "attempts", "next_attempt_at", "error")


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnly, ModelAdmin):
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
class CopyAdmin(ReadOnly, ModelAdmin):
    """Copies, the ones in trouble first to filter for."""

    list_display = ("file", "side", "node", "state", "verified_at", "attempts", "next_attempt_at", "error")
    list_filter = ("state", "side", "node")
    search_fields = ("file__id", "file__name", "file__key", "error")
    ordering = ("-id",)
    list_select_related = ("file",)


@admin.register(Upload)
class UploadAdmin(ReadOnly, ModelAdmin):
    """Uploads that take more than one request: how far each is, and why one failed."""

    list_display = ("name", "kind", "state", "offset", "size", "tenant_id", "expires_at", "updated_at")
    list_filter = ("state", "kind", "category", "is_confidential")
    search_fields = ("id", "name", "key", "tenant_id", "owner_id")
    ordering = ("-id",)
    list_select_related = ("file",)


@admin.register(Remnant)
class RemnantAdmin(ReadOnly, ModelAdmin):
    """What must go from a place because no row names it any more."""

    list_display = ("key", "side", "node", "due_at", "until")
    list_filter = ("side", "node")
    search_fields = ("key",)
    ordering = ("due_at",)


@admin.register(Canary)
class CanaryAdmin(ReadOnly, ModelAdmin):
    """By what each side is recognised, and since when."""

    list_display = ("side", "node", "planted_at")
    exclude = ("token",)
    ordering = ("side", "node")


@admin.register(BlockDigests)
class BlockDigestsAdmin(ReadOnly, ModelAdmin):
    """Which files can be verified in parts."""

    list_display = ("file",)
    search_fields = ("file__id", "file__key")
    ordering = ("-file_id",)
    list_select_related = ("file",)
