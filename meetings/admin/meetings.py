"""Meetings and who takes part in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from chatvista.foundation import audit
from chatvista.foundation.read_only import ReadOnly
from meetings.models import Meeting, Participant


class ParticipantInline(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold is untyped
    """The people of a meeting, on its page."""

    model = Participant
    fields = ("name", "email", "role", "user")


@admin.register(Meeting)
class MeetingAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """What a meeting is about can be put right; its life goes through the API."""

    list_display = ("title", "organization", "status", "scheduled_start", "recorded", "archived_at", "created_at")
    list_filter = ("status", ("archived_at", admin.EmptyFieldListFilter), "language")
    list_select_related = ("organization",)
    search_fields = ("id", "title", "external_ref", "organization__name")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    readonly_fields = (
        "id", "organization", "created_by", "status", "started_at", "ended_at", "is_confidential", "archived_at",
        "revision", "created_at", "updated_at",
    )  # fmt: skip
    inlines = (ParticipantInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meeting]:
        """With the number of recordings, counted in the same query."""
        found: QuerySet[Meeting] = super().get_queryset(request)
        return found.annotate(recorded=Count("recordings"))

    @admin.display(description="recordings", ordering="recorded")
    def recorded(self, meeting: Meeting) -> int:
        """How many recordings it has, archived ones included."""
        return int(getattr(meeting, "recorded", 0))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A meeting is made by its host."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Meeting | None = None) -> bool:
        """Meetings go to the trash through the API and are not deleted by hand."""
        return False

    def save_model(self, request: HttpRequest, obj: Meeting, form: Any, change: Any) -> None:
        """Count the revision up, so that clients notice, and put the operator on record."""
        obj.revision += 1
        super().save_model(request, obj, form, change)
        audit.record(
            action="meeting.changed", target_kind="meeting", target_id=obj.pk, actor=request.user.pk,
            tenant_id=obj.organization_id, fields=sorted(form.changed_data), by="operator",
        )  # fmt: skip


@admin.register(Participant)
class ParticipantAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Everybody in every meeting, to be found by name or address."""

    list_display = ("name", "email", "role", "meeting", "user", "created_at")
    list_filter = ("role", ("user", admin.EmptyFieldListFilter))
    list_select_related = ("meeting", "user")
    search_fields = ("id", "name", "email", "meeting__title")
    ordering = ("-id",)
