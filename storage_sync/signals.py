"""What the storeroom announces to whoever owns files; it does not know who listens.

All are sent inside the transaction that makes them true: what a listener writes is committed with it or not at all,
and a listener must neither call anybody nor queue a task but by `delay_on_commit`.
"""

from __future__ import annotations

from django.dispatch import Signal

file_stored = Signal()
"""Sent with `file`: it is stored and may be seen from now on. Follow-up work is written down here."""

file_verified = Signal()
"""Sent with `file`: it had been stored before anybody had read it, and now its sha256 is known."""

file_archived = Signal()
"""Sent with `file`: a person or a policy put it in the archive. Owners stop what was being done with it."""

file_purged = Signal()
"""Sent with `file`: its bytes are being removed for good, and nothing brings them back. Sent once, at that decision."""

file_dropped = Signal()
"""Sent with `file`: its reservation came to nothing. Owners delete the row they had made for it."""

file_lost = Signal()
"""Sent with `file`: no copy of it is right any more. Operators are to know at once."""

file_found = Signal()
"""Sent with `file`: it had been lost, and right bytes turned up."""
