"""The rows of accounts, one file per noun."""

from accounts.models.audit_event import AuditEvent
from accounts.models.organization import Organization
from accounts.models.session import Session
from accounts.models.user import User

__all__ = ["AuditEvent", "Organization", "Session", "User"]
