"""Addresses of the storeroom, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from storage_sync.views import DownloadView, FileView

urlpatterns = [
    path("files/<uuid:file_id>", FileView.as_view(), name="file"),
    path("files/<uuid:file_id>/download", DownloadView.as_view(), name="file-download"),
]
