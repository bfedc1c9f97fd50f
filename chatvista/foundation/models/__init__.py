"""The rows the cellar owns."""

from chatvista.foundation.models.idempotency_key import IdempotencyKey
from chatvista.foundation.models.job import Job

__all__ = ["IdempotencyKey", "Job"]
