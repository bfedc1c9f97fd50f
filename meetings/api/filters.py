"""What lists can be narrowed to."""

from __future__ import annotations

import uuid
from typing import Any

import django_filters
from django.db.models import OuterRef, QuerySet, Subquery

from chatvista.foundation.problems import Problem
from meetings.models import ActionItem, ActionStatus, Meeting, MeetingStatus, Minutes


class MeetingFilters(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of GET /meetings; all given ones must hold."""

    status = django_filters.ChoiceFilter(choices=MeetingStatus.choices)
    tag = django_filters.CharFilter(field_name="tags", method="by_tag", label="Has this tag")
    external_ref = django_filters.CharFilter()
    q = django_filters.CharFilter(field_name="title", lookup_expr="icontains", label="Words in the title")
    scheduled_start_after = django_filters.IsoDateTimeFilter(field_name="scheduled_start", lookup_expr="gte")
    scheduled_start_before = django_filters.IsoDateTimeFilter(field_name="scheduled_start", lookup_expr="lt")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Meeting
        fields: tuple[str, ...] = ()

    def by_tag(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Meetings that have the tag."""
        return rows.filter(tags__contains=[value])


class ActionItemFilters(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of GET /action-items. Without `minutes`, those of the newest finished minutes of each meeting."""

    meeting = django_filters.UUIDFilter(field_name="minutes__meeting_id")
    minutes = django_filters.UUIDFilter(field_name="minutes_id")
    status = django_filters.ChoiceFilter(choices=ActionStatus.choices)
    owner = django_filters.CharFilter(method="by_owner", label="`me`, or the id of a participant")
    due_after = django_filters.DateFilter(field_name="due_on", lookup_expr="gte")
    due_before = django_filters.DateFilter(field_name="due_on", lookup_expr="lte")

    class Meta:
        model = ActionItem
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rewritten minutes repeat the items of the version before, so that only the newest counts unless asked."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("minutes"):
            return rows
        versions = Minutes.objects.filter(meeting=OuterRef("minutes__meeting"), job__state="completed")
        return rows.filter(minutes=Subquery(versions.order_by("-version").values("pk")[:1]))

    def by_owner(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Items of the user who asks, or of one participant."""
        if value == "me":
            return rows.filter(owner__user=self.request.user)
        try:
            return rows.filter(owner=uuid.UUID(value))
        except ValueError as error:
            sentence = "Give `me`, or the id of a participant."
            raise Problem("validation_failed", sentence, fields={"owner": [sentence]}) from error
