"""How things go wrong here: one exception for requests, two for work done behind them.

What lives elsewhere: turning a `Problem` into an HTTP answer (`envelope`) and a `WorkError` into a
job's state (`leases`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Problem(Exception):
    """A request that cannot be served, for a reason the client can act on (RFC 9457).

    Args:
        code: stable snake_case name of the reason; part of the public contract.
        detail: one sentence for a person.
        status: HTTP status.
        fields: messages by field name, for input that does not validate.
        retry_after: seconds after which trying again makes sense (header `Retry-After`).
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int = 400,
        fields: Mapping[str, Sequence[str]] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}
        self.retry_after = retry_after


class WorkError(Exception):
    """Work that did not succeed, with a code and a sentence a person can act on.

    Raise one of the two subclasses: they decide whether the work is tried again.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class TransientError(WorkError):
    """It may succeed later: tried again with back-off, `retry_after` seconds (if known) at the least."""

    def __init__(self, code: str, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class PermanentError(WorkError):
    """It will not succeed unless somebody changes something: the job fails at once."""
