"""A participant, as clients see and describe one."""

from __future__ import annotations

from rest_framework import serializers

from accounts.api.fields import AddressField, LineField
from meetings.api.strict import IdField, StrictSerializer, WordField
from meetings.models import Participant, ParticipantRole


class ParticipantSerializer(serializers.ModelSerializer[Participant]):
    """Somebody in a meeting; `user` is null for people from outside."""

    class Meta:
        model = Participant
        fields = ("id", "meeting", "user", "name", "email", "role", "created_at")
        read_only_fields = fields


class NewParticipantSerializer(StrictSerializer):
    """Who to let in: a `user` of the organization, or an `email`. `name` defaults to the user's, or the address."""

    user = IdField(required=False, allow_null=True, default=None)
    name = LineField(max_length=200, required=False, allow_blank=True, default="")
    email = AddressField(required=False, allow_blank=True, default="")
    role = WordField(choices=ParticipantRole.choices, required=False, default=ParticipantRole.PARTICIPANT)


class ParticipantChangesSerializer(StrictSerializer):
    """What may be changed about a participant."""

    name = LineField(max_length=200, required=False)
    role = WordField(choices=ParticipantRole.choices, required=False)
