"""GET and PATCH /users/me, and the shape of a user."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.fields import LineField
from accounts.models import Organization, User
from accounts.models.user import LONGEST_NAME
from accounts.people import person
from accounts.profiling import change_profile


class OrganizationReference(serializers.ModelSerializer[Organization]):
    """An organization by id and name."""

    class Meta:
        model = Organization
        fields = ("id", "name")
        read_only_fields = fields


class UserSerializer(serializers.ModelSerializer[User]):
    """A person, as they see themselves. `organization` is null for operators outside every organization."""

    organization = OrganizationReference(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = ("id", "email", "name", "role", "organization", "created_at", "is_staff")
        read_only_fields = fields


class ProfileSerializer(serializers.Serializer[Any]):
    """What people may change about themselves."""

    name = LineField(max_length=LONGEST_NAME, required=False)


class MeView(APIView):
    """The user who is asking."""

    @extend_schema(responses=UserSerializer, operation_id="me_read")
    def get(self, request: Request) -> Response:
        """Who the token belongs to."""
        return Response(UserSerializer(person(request)).data)

    @extend_schema(request=ProfileSerializer, responses=UserSerializer, operation_id="me_change")
    def patch(self, request: Request) -> Response:
        """Change your name; members that are left out, and those one cannot change, stay as they are."""
        profile = ProfileSerializer(data=request.data)
        profile.is_valid(raise_exception=True)
        return Response(UserSerializer(change_profile(user=person(request), **profile.validated_data)).data)
