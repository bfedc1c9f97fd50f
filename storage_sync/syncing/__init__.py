"""The sync engine: whatever copy is due gets made, on the side and by the node that can make it.

A copy is due when it is not present and its `next_attempt_at` has come. `wake` has the due ones made at once; a scan
finds within a minute what nobody was woken for.
"""

from storage_sync.syncing.backlog import Backlog, backlog
from storage_sync.syncing.running import Progress, run
from storage_sync.syncing.wanting import want_here
from storage_sync.waking import wake

__all__ = ["Backlog", "Progress", "backlog", "run", "wake", "want_here"]
