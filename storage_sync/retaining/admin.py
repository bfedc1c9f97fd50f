"""Operators' view of retention: policies and the deletion log to be read, and holds to be put on files and lifted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import ActionForm

from chatvista.foundation.problems import Problem
from chatvista.foundation.read_only import ReadOnly
from storage_sync.models import Deletion, LegalHold, RetentionPolicy, StoredFile
from storage_sync.retaining import holding


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(ReadOnly, ModelAdmin):
    """Policies; they are set by the API and by `manage.py retention`, which keep the audit log."""

    list_display = ("category", "tenant_id", "archive_after_days", "purge_after_days", "updated_at")
    list_filter = ("category",)
    search_fields = ("tenant_id",)
    ordering = ("-id",)


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnly, ModelAdmin):
    """Holds, those that were lifted too."""

    list_display = ("file", "reason", "is_operators", "put_by", "created_at", "lifted_at", "lifted_because")
    list_filter = ("is_operators",)
    search_fields = ("file__id", "file__name", "reason")
    list_select_related = ("file",)
    ordering = ("-id",)


@admin.register(Deletion)
class DeletionAdmin(ReadOnly, ModelAdmin):
    """The deletion log."""

    list_display = ("file_id", "category", "size", "tenant_id", "begun_at", "completed_at", "reason", "ordered_by")
    list_filter = ("category",)
    search_fields = ("file_id", "tenant_id", "sha256", "reason")
    date_hierarchy = "begun_at"
    ordering = ("-id",)


class ReasonForm(ActionForm):
    """Which action, and why."""

    reason = forms.CharField(required=False, max_length=500, label="Reason")


@admin.action(description="Put under legal hold (give a reason)")
def put_under_hold(admin_page: Any, request: HttpRequest, files: QuerySet[StoredFile]) -> None:
    """Hold every chosen file."""
    reason = request.POST.get("reason", "").strip()[:500]
    if not reason:
        messages.error(request, "A hold needs a reason.")
        return
    _each(
        request,
        files,
        lambda file: holding.put_hold(file_id=file.pk, reason=reason, put_by=request.user.pk, is_operator=True),
        "held",
    )


@admin.action(description="Lift the legal hold")
def lift_the_hold(admin_page: Any, request: HttpRequest, files: QuerySet[StoredFile]) -> None:
    """Release every chosen file."""
    because = request.POST.get("reason", "").strip()[:500]
    _each(
        request,
        files,
        lambda file: holding.lift_hold(file_id=file.pk, because=because, lifted_by=request.user.pk, is_operator=True),
        "released",
    )


def _each(request: HttpRequest, files: QuerySet[StoredFile], deed: Any, done: str) -> None:
    count = 0
    for file in files:
        try:
            deed(file)
            count += 1
        except Problem as problem:
            messages.error(request, f"{file.pk}: {problem.detail}")
    messages.info(request, f"{count} files {done}.")
