"""Operators' view of people. Sessions and the audit log are read here and never written."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import signing_in
from accounts.models import AuditEvent, Organization, Session, User
from accounts.models.session import Revocation
from chatvista.foundation import audit
from chatvista.foundation.read_only import ReadOnly

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups of operators, in the look of the rest."""


@admin.register(Organization)
class OrganizationAdmin(ModelAdmin):
    """Tenants and what they may keep."""

    list_display = ("name", "people", "quota_bytes", "created_at")
    search_fields = ("id", "name")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    readonly_fields = ("id", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        """With the number of members, counted in the same query."""
        found: QuerySet[Organization] = super().get_queryset(request)
        return found.annotate(people=Count("members"))

    @admin.display(ordering="people")
    def people(self, organization: Organization) -> int:
        """How many accounts belong to it."""
        return int(getattr(organization, "people", 0))


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Accounts; passwords are set, never shown."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "organization", "role", "is_active", "is_staff", "last_login", "created_at")
    list_filter = ("is_active", "is_staff", "role")
    list_select_related = ("organization",)
    search_fields = ("id", "email", "name", "organization__name")
    autocomplete_fields = ("organization", "groups")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    readonly_fields = ("id", "last_login", "created_at", "updated_at")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password", "name")}),
        ("Belongs to", {"fields": ("organization", "role")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Facts", {"fields": ("id", "last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "organization", "role", "is_staff")}),
        ("Password", {"classes": ("wide",), "fields": ("usable_password", "password1", "password2")}),
    )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  Django's name
        """Set a password; whoever was signed in with the old one no longer is."""
        response: HttpResponse = super().user_change_password(request, id, form_url)
        user = User.objects.filter(pk=id).first()
        if user and request.method == "POST" and response.status_code == HTTPStatus.FOUND:
            signing_in.revoke_all(user=user, because=Revocation.PASSWORD_CHANGED, actor=request.user.pk)
            audit.record(
                action="user.password_set", target_kind="user", target_id=user.pk, actor=request.user.pk,
                tenant_id=user.organization_id,
            )  # fmt: skip
        return response


@admin.register(Session)
class SessionAdmin(ReadOnly, ModelAdmin):
    """Who is signed in from where."""

    list_display = ("user", "address", "user_agent", "last_used_at", "expires_at", "revoked_at", "revoked_because")
    list_filter = ("revoked_because",)
    list_select_related = ("user",)
    search_fields = ("id", "user__email", "address")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    exclude = ("jti",)
    actions = ("end",)

    @admin.action(description="End these sessions", permissions=["view"])
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """Revoke the chosen sessions that are still alive."""
        operator = request.user.pk
        ended = [signing_in.revoke(session=each, because=Revocation.BY_OPERATOR, actor=operator) for each in queryset]
        self.message_user(request, f"{sum(ended)} ended.")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, ModelAdmin):
    """What was done, by whom, to what."""

    list_display = ("occurred_at", "action", "actor", "target_kind", "target_id", "tenant_id", "address", "request_id")
    list_filter = ("action", "target_kind")
    search_fields = ("actor", "target_id", "tenant_id", "request_id", "action")
    date_hierarchy = "occurred_at"
    ordering = ("-id",)
