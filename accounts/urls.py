"""Where people sign in and see themselves, below /api/v1."""

from __future__ import annotations

from django.urls import path

from accounts.api import credentials, users

urlpatterns = [
    path("auth/register", credentials.RegisterView.as_view(), name="register"),
    path("auth/login", credentials.LoginView.as_view(), name="login"),
    path("auth/refresh", credentials.RefreshView.as_view(), name="refresh"),
    path("auth/logout", credentials.LogoutView.as_view(), name="logout"),
    path("users/me", users.MeView.as_view(), name="me"),
]
