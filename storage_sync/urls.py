"""Addresses of the storeroom, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from storage_sync.api import operating
from storage_sync.api.views import DownloadView, FileView
from storage_sync.retaining import views as retaining

urlpatterns = [
    path("files/<uuid:file_id>", FileView.as_view(), name="file"),
    path("files/<uuid:file_id>/download", DownloadView.as_view(), name="file-download"),
    path("files/<uuid:file_id>/legal-hold", retaining.LegalHoldView.as_view(), name="legal-hold"),
    path("storage/status", operating.StorageStatusView.as_view(), name="storage-status"),
    path("storage/sync", operating.StorageSyncView.as_view(), name="storage-sync"),
    path("storage/reconcile", operating.StorageReconcileView.as_view(), name="storage-reconcile"),
    path("retention-policies", retaining.RetentionPoliciesView.as_view(), name="retention-policies"),
    path("retention-policies/preview", retaining.RetentionPreviewView.as_view(), name="retention-preview"),
    path("retention-policies/<uuid:policy_id>", retaining.RetentionPolicyView.as_view(), name="retention-policy"),
    path("deletions", retaining.DeletionsView.as_view(), name="deletions"),
]
