"""Every address of the service but the probes (see `health`). The apps name their own below /api/v1."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

urlpatterns = [
    path("", TemplateView.as_view(template_name="welcome.html"), name="welcome"),
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/redoc", SpectacularRedocView.as_view(url_name="schema", template_name="redoc.html"), name="redoc"),
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("chatvista.foundation.urls")),
    path("api/v1/", include("storage_sync.urls")),
    path("api/v1/", include("meetings.urls")),
]

handler400 = "chatvista.foundation.envelope.bad_request"
handler403 = "chatvista.foundation.envelope.forbidden"
handler404 = "chatvista.foundation.envelope.not_found"
handler500 = "chatvista.foundation.envelope.server_error"
