"""Minutes and action items, as clients see them, and what they may ask for and change."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.fields import LineField, TextField
from chatvista.foundation.serializers import JobSerializer
from meetings.api.strict import DayField, IdField, LanguageField, StrictSerializer, WordField
from meetings.minuting import TEMPLATES
from meetings.models import ActionItem, ActionStatus, Citation, Minutes, MinutesItem, Section


class EvidenceSerializer(serializers.ModelSerializer[Citation]):
    """Where something was said: the segment, the moment, and the words."""

    class Meta:
        model = Citation
        fields = ("segment", "start_ms", "quote")
        read_only_fields = fields


class MinutesEntrySerializer(serializers.ModelSerializer[MinutesItem]):
    """One line of minutes."""

    evidence = EvidenceSerializer(many=True)

    class Meta:
        model = MinutesItem
        fields = ("id", "text", "evidence")
        read_only_fields = fields


class OwnerSerializer(serializers.Serializer[Any]):
    """Who has to do it; `participant` is null for a name that is nobody's in the meeting."""

    participant = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class ActionEntrySerializer(serializers.ModelSerializer[MinutesItem]):
    """An action item among the lines of its minutes."""

    evidence = EvidenceSerializer(many=True)
    owner = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=ActionStatus.choices)

    class Meta:
        model = MinutesItem
        fields: tuple[str, ...] = ("id", "text", "evidence", "owner", "due_on", "status")
        read_only_fields = fields

    @extend_schema_field(OwnerSerializer(allow_null=True))
    def get_owner(self, item: MinutesItem) -> dict[str, Any] | None:
        """The participant, or the name that was said, or null."""
        if item.owner is not None:
            return {"participant": str(item.owner.pk), "name": item.owner.name}
        return {"participant": None, "name": item.owner_name} if item.owner_name else None


class ActionItemSerializer(ActionEntrySerializer):
    """An action item on its own: with its meeting and its minutes."""

    meeting = serializers.UUIDField(source="minutes.meeting_id")

    class Meta(ActionEntrySerializer.Meta):
        model = ActionItem
        fields = (
            "id", "meeting", "minutes", "text", "evidence", "owner", "due_on", "status", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class CoverageSerializer(serializers.Serializer[Any]):
    """How much of the transcript the minutes rest on; `dropped` counts lines thrown away, by reason."""

    segments_total = serializers.IntegerField(default=0)
    segments_used = serializers.IntegerField(default=0)
    truncated = serializers.BooleanField(default=False)
    dropped = serializers.DictField(child=serializers.IntegerField(), default=dict)


class MinutesSerializer(serializers.ModelSerializer[Minutes]):
    """Minutes. `status` is pending or failed until they are written, then where they stand between people."""

    status = serializers.CharField(source="shown_status")
    summary = serializers.SerializerMethodField()
    summary_evidence = serializers.SerializerMethodField()
    topics = serializers.SerializerMethodField()
    decisions = serializers.SerializerMethodField()
    action_items = serializers.SerializerMethodField()
    open_questions = serializers.SerializerMethodField()
    coverage = serializers.SerializerMethodField()

    class Meta:
        model = Minutes
        fields = (
            "id", "meeting", "transcript", "version", "status", "template", "language", "engine", "model", "summary",
            "summary_evidence", "topics", "decisions", "action_items", "open_questions", "coverage", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_summary(self, minutes: Minutes) -> str:
        """All sentences of the summary as one text."""
        return " ".join(item.text for item in _of(minutes, Section.SUMMARY))

    @extend_schema_field(EvidenceSerializer(many=True))
    def get_summary_evidence(self, minutes: Minutes) -> Any:
        """What the summary rests on, in its order."""
        cited = [citation for item in _of(minutes, Section.SUMMARY) for citation in item.evidence.all()]
        return EvidenceSerializer(cited, many=True).data

    @extend_schema_field(MinutesEntrySerializer(many=True))
    def get_topics(self, minutes: Minutes) -> Any:
        """What was talked about."""
        return MinutesEntrySerializer(_of(minutes, Section.TOPICS), many=True).data

    @extend_schema_field(MinutesEntrySerializer(many=True))
    def get_decisions(self, minutes: Minutes) -> Any:
        """What was decided."""
        return MinutesEntrySerializer(_of(minutes, Section.DECISIONS), many=True).data

    @extend_schema_field(ActionEntrySerializer(many=True))
    def get_action_items(self, minutes: Minutes) -> Any:
        """What somebody has to do."""
        return ActionEntrySerializer(_of(minutes, Section.ACTION_ITEMS), many=True).data

    @extend_schema_field(MinutesEntrySerializer(many=True))
    def get_open_questions(self, minutes: Minutes) -> Any:
        """What was left open."""
        return MinutesEntrySerializer(_of(minutes, Section.OPEN_QUESTIONS), many=True).data

    @extend_schema_field(CoverageSerializer)
    def get_coverage(self, minutes: Minutes) -> Any:
        """Nothing is covered before they are written."""
        nothing = {"segments_total": 0, "segments_used": 0, "truncated": False, "dropped": {}}
        return nothing | minutes.coverage


class RequestedMinutesSerializer(serializers.Serializer[Any]):
    """Minutes being written, and the job to follow."""

    minutes = MinutesSerializer()
    job = JobSerializer()


class MinutesRequestSerializer(StrictSerializer):
    """What minutes to write; all of it may be left out."""

    template = WordField(choices=[(name, name) for name in TEMPLATES], required=False, default="corporate")
    language = LanguageField(required=False, default="")
    transcript = IdField(required=False, allow_null=True, default=None)


class ActionItemChangesSerializer(StrictSerializer):
    """What may be changed about an action item. `owner` is a participant's id, `owner_name` anybody's name."""

    owner = IdField(required=False, allow_null=True)
    owner_name = LineField(max_length=200, required=False, allow_blank=True)
    due_on = DayField(required=False, allow_null=True)
    status = WordField(choices=ActionStatus.choices, required=False)
    text = TextField(max_length=2000, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One owner at most."""
        if attrs.get("owner") and attrs.get("owner_name"):
            raise serializers.ValidationError({"owner_name": ["Give an owner or an owner_name, not both."]})
        return attrs


def with_items(rows: QuerySet[Minutes]) -> QuerySet[Minutes]:
    """The rows with all that `MinutesSerializer` reads, in three queries however long the minutes are."""
    evidence = Prefetch("evidence", queryset=Citation.objects.order_by("position"))
    items = MinutesItem.objects.select_related("owner").order_by("position").prefetch_related(evidence)
    return rows.select_related("job", "meeting").prefetch_related(Prefetch("items", queryset=items))


def _of(minutes: Minutes, section: Section) -> list[MinutesItem]:
    return [item for item in minutes.items.all() if item.section == section]
