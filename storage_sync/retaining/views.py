"""The API of retention: policies, what they would do, what was removed, and holds on single files.

Owners and admins of an organization decide about its own files, auditors read, members are refused; what belongs to
another organization does not exist. Operators decide about all, and about the general policies.
"""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chatvista.foundation.headers import IDEMPOTENCY_KEY, IF_MATCH
from chatvista.foundation.idempotency import idempotent
from chatvista.foundation.preconditions import etag, require_current
from chatvista.foundation.problems import Problem
from storage_sync import ownership
from storage_sync.models import Deletion, RetentionPolicy, StoredFile
from storage_sync.retaining import asking, holding, planning, policies
from storage_sync.retaining.shapes import (
    DeletionSerializer,
    HoldReasonSerializer,
    LegalHoldSerializer,
    NewPolicySerializer,
    PlanSerializer,
    PolicyDaysSerializer,
    RetentionPolicySerializer,
)
from storage_sync.vocabulary import Category, FileState

_ORGANIZATION = OpenApiParameter("organization", OpenApiTypes.UUID, description="For operators: of this one alone.")
_CATEGORY = OpenApiParameter("category", OpenApiTypes.STR, enum=Category.values)
_DAYS = OpenApiParameter("days", OpenApiTypes.INT, default=30, description="How many days to look ahead, 0 to 3650.")
_BECAUSE = OpenApiParameter("reason", OpenApiTypes.STR, description="Why it is lifted; for the audit log.")
_NEVER_FILES = (FileState.RESERVED, FileState.ABANDONED)


class RetentionPoliciesView(GenericAPIView[RetentionPolicy]):
    """The policies of an organization, and those that are valid for everybody."""

    queryset = RetentionPolicy.objects.none()
    filter_backends = ()

    @extend_schema(
        responses=RetentionPolicySerializer(many=True),
        parameters=[_ORGANIZATION],
        operation_id="retention_policies_list",
    )
    def get(self, request: Request) -> Response:
        """Your organization's policies and the general ones, newest first; for operators all there are."""
        page = self.paginate_queryset(_seen_policies(request, asking.tenant_to_read(request)))
        return self.get_paginated_response(RetentionPolicySerializer(page, many=True).data)

    @extend_schema(
        request=NewPolicySerializer,
        responses={201: RetentionPolicySerializer},
        parameters=[IDEMPOTENCY_KEY],
        operation_id="retention_policy_create",
    )
    @idempotent()
    def post(self, request: Request) -> Response:
        """Set how long files of a category are kept; 409 `policy_exists` where that is said already."""
        own = asking.tenant_to_administer(request)
        given = NewPolicySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        facts = given.validated_data
        tenant_id = asking.named_tenant(request, facts.pop("organization", own), own=own)
        category = facts.pop("category")
        policy = policies.set_policy(tenant_id=tenant_id, category=category, days=facts, by=request.user.pk)
        return _shown(policy, status_code=status.HTTP_201_CREATED)


class RetentionPolicyView(APIView):
    """One policy."""

    @extend_schema(responses=RetentionPolicySerializer, operation_id="retention_policy_read")
    def get(self, request: Request, policy_id: uuid.UUID) -> Response:
        """A policy, with its ETag."""
        return _shown(_seen_policy(request, policy_id))

    @extend_schema(
        request=PolicyDaysSerializer,
        responses=RetentionPolicySerializer,
        parameters=[IF_MATCH],
        operation_id="retention_policy_change",
    )
    def patch(self, request: Request, policy_id: uuid.UUID) -> Response:
        """Change its days; null is never. With `If-Match`, 412 when somebody else changed it meanwhile."""
        policy = _own_policy(request, policy_id)
        given = PolicyDaysSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changed = policies.change_policy(
            policy_id=policy.pk,
            days=given.validated_data,
            check=lambda row: require_current(request=request, row=row),
            by=request.user.pk,
        )
        return _shown(changed)

    @extend_schema(request=None, responses={204: None}, parameters=[IF_MATCH], operation_id="retention_policy_remove")
    def delete(self, request: Request, policy_id: uuid.UUID) -> Response:
        """Remove it: the general policy of its category is valid again, if there is one."""
        policy = _own_policy(request, policy_id)
        policies.remove_policy(
            policy_id=policy.pk, check=lambda row: require_current(request=request, row=row), by=request.user.pk
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class RetentionPreviewView(APIView):
    """What the policies would do."""

    @extend_schema(
        responses=PlanSerializer, parameters=[_DAYS, _CATEGORY, _ORGANIZATION], operation_id="retention_preview"
    )
    def get(self, request: Request) -> Response:
        """What would be archived and purged now and within the next days: counts, bytes, the first hundred."""
        tenant_id = asking.tenant_to_read(request)
        days = asking.whole_number(request, "days", least=0, most=planning.LONGEST_LOOK_DAYS, default=30)
        category = asking.word(request, "category", Category.values)
        return Response(PlanSerializer(planning.plan(days=days, tenant_id=tenant_id, category=category)).data)


class DeletionsView(GenericAPIView[Deletion]):
    """The deletion log."""

    queryset = Deletion.objects.none()
    filter_backends = ()

    @extend_schema(
        responses=DeletionSerializer(many=True), parameters=[_CATEGORY, _ORGANIZATION], operation_id="deletions_list"
    )
    def get(self, request: Request) -> Response:
        """Files that were removed for good, newest first."""
        tenant_id = asking.tenant_to_read(request)
        found = Deletion.objects.all() if tenant_id is None else Deletion.objects.filter(tenant_id=tenant_id)
        category = asking.word(request, "category", Category.values)
        page = self.paginate_queryset(found if category is None else found.filter(category=category))
        return self.get_paginated_response(DeletionSerializer(page, many=True).data)


class LegalHoldView(APIView):
    """Holding one file."""

    @extend_schema(request=HoldReasonSerializer, responses=LegalHoldSerializer, operation_id="legal_hold_put")
    def put(self, request: Request, file_id: uuid.UUID) -> Response:
        """Forbid that the file is ever purged, until the hold is lifted. It can still be archived and restored."""
        _require_may_hold(request, file_id)
        given = HoldReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        hold = holding.put_hold(
            file_id=file_id,
            reason=given.validated_data["reason"],
            put_by=request.user.pk,
            is_operator=ownership.is_operator(request.user),
        )
        return Response(LegalHoldSerializer(hold).data)

    @extend_schema(request=None, responses={204: None}, parameters=[_BECAUSE], operation_id="legal_hold_lift")
    def delete(self, request: Request, file_id: uuid.UUID) -> Response:
        """Lift the hold; where there is none, nothing changes. What an operator holds, operators alone release."""
        _require_may_hold(request, file_id)
        holding.lift_hold(
            file_id=file_id,
            because=asking.line(request, "reason"),
            lifted_by=request.user.pk,
            is_operator=ownership.is_operator(request.user),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _seen_policies(request: Request, tenant_id: uuid.UUID | None) -> QuerySet[RetentionPolicy]:
    found = RetentionPolicy.objects.all()
    return found if tenant_id is None else found.filter(Q(tenant_id=tenant_id) | Q(tenant_id__isnull=True))


def _seen_policy(request: Request, policy_id: uuid.UUID) -> RetentionPolicy:
    policy = _seen_policies(request, asking.tenant_to_read(request)).filter(pk=policy_id).first()
    if policy is None:
        raise asking.nothing_here()
    return policy


def _own_policy(request: Request, policy_id: uuid.UUID) -> RetentionPolicy:
    policy = _seen_policy(request, policy_id)
    if not ownership.may_administer(user=request.user, tenant_id=policy.tenant_id):
        raise Problem("permission_denied", "You may read this policy, but not change it.", status=403)
    return policy


def _require_may_hold(request: Request, file_id: uuid.UUID) -> None:
    """Owners and admins may hold what is archived, too; others learn of a file only what they may see."""
    file = StoredFile.objects.exclude(state__in=_NEVER_FILES).filter(pk=file_id).first()
    if file is None:
        raise asking.nothing_here()
    if ownership.may_administer(user=request.user, tenant_id=file.tenant_id):
        return
    if not ownership.may_see(user=request.user, file_id=file_id):
        raise asking.nothing_here()
    raise Problem("permission_denied", "Only owners and admins of the organization put and lift holds.", status=403)


def _shown(policy: RetentionPolicy, *, status_code: int = status.HTTP_200_OK) -> Response:
    headers = {"ETag": etag(policy)}
    if status_code == status.HTTP_201_CREATED:
        headers["Location"] = f"/api/v1/retention-policies/{policy.pk}"
    return Response(RetentionPolicySerializer(policy).data, status=status_code, headers=headers)
