"""The API of operators: where the storeroom stands, and orders to look after it at once."""

from __future__ import annotations

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chatvista.foundation import audit
from chatvista.foundation.headers import IDEMPOTENCY_KEY
from chatvista.foundation.idempotency import idempotent
from chatvista.foundation.serializers import JobSerializer
from storage_sync import waking
from storage_sync.api.status_shapes import (
    ReconciliationOrderedSerializer,
    ReconciliationOrderSerializer,
    StorageStatusSerializer,
    SyncOrderSerializer,
    SyncWokenSerializer,
)
from storage_sync.inspecting import ordering
from storage_sync.inspecting.reconciling import Order
from storage_sync.reporting import status as storage_status
from storage_sync.syncing.backlog import backlog
from storage_sync.vocabulary import SideName


class StorageStatusView(APIView):
    """Where the storeroom stands."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="storage_status", responses=StorageStatusSerializer)
    def get(self, request: Request) -> Response:
        """Computed from the rows at this moment: copies by side and category, ages, nodes, inspections, errors."""
        return Response(StorageStatusSerializer(storage_status.status()).data)


class StorageSyncView(APIView):
    """Making copies at once."""

    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="storage_sync", request=None, responses={202: SyncWokenSerializer})
    def post(self, request: Request) -> Response:
        """Wake the engine; it makes what is due. Other nodes find theirs within a minute."""
        SyncOrderSerializer(data=request.data).is_valid(raise_exception=True)
        before_it = backlog()
        waking.wake()
        audit.record(action="storage.sync_ordered", target_kind="storage", target_id=None, actor=request.user.pk)
        told = {
            "copies": before_it.copies,
            "due": sum(pile.due for pile in before_it.piles),
            "bytes": sum(pile.held_bytes for pile in before_it.piles),
        }
        return Response(SyncWokenSerializer(told).data, status=status.HTTP_202_ACCEPTED)


class StorageReconcileView(APIView):
    """Reconciling at once."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="storage_reconcile",
        request=ReconciliationOrderSerializer,
        responses={202: ReconciliationOrderedSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent()
    def post(self, request: Request) -> Response:
        """Have a worker compare the ledger with its own disk and the Space; follow the job, read the inspection."""
        given = ReconciliationOrderSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        order = Order(
            sides=[SideName(side) for side in wanted["sides"]] if "sides" in wanted else None,
            categories=wanted.get("categories"),
            is_dry_run=wanted["dry_run"],
            forced=wanted.get("force", ()),
        )
        with transaction.atomic():
            job = ordering.order_reconciliation(order=order, by=request.user.pk)
        told = {"job": JobSerializer(job).data, "inspection": job.subject_id}
        return Response(told, status=status.HTTP_202_ACCEPTED)
