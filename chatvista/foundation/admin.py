"""Operators' view of the work: what runs, what waits, what failed and why."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from chatvista.foundation import working
from chatvista.foundation.models import IdempotencyKey, Job
from chatvista.foundation.read_only import ReadOnly


@admin.register(Job)
class JobAdmin(ReadOnly, ModelAdmin):
    """Jobs: read here, retried or cancelled by an action, never edited: a job's row is its lease."""

    list_display = ("kind", "state", "step", "progress", "attempts", "error_code", "next_attempt_at", "created_at")
    list_filter = ("state", "kind", "queue", "error_code")
    search_fields = ("id", "subject_id", "tenant_id", "error_detail")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    actions = ("retry", "cancel")

    @admin.action(description="Try again", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Queue the chosen failed or cancelled jobs again."""
        for job in queryset:
            working.retry_job(job_id=job.pk)
        self.message_user(request, "Failed and cancelled ones among them are queued again.")

    @admin.action(description="Cancel", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Cancel the chosen jobs that have not ended."""
        for job in queryset:
            working.cancel_job(job_id=job.pk)
        self.message_user(request, "Those that had not ended are cancelled.")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ModelAdmin):
    """Answers kept for retried requests."""

    list_display = ("key", "route", "caller", "status", "created_at")
    search_fields = ("key", "route", "caller")
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A key comes with a request."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: IdempotencyKey | None = None) -> bool:
        """An edited answer would be given to a client as the first one."""
        return False
