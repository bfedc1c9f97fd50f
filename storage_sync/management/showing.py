"""Progress of commands: a bar on stderr, drawn only where somebody sits before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from storage_sync.syncing.backlog import Backlog
from storage_sync.syncing.running import Progress


@contextmanager
def watched(expected: Backlog) -> Iterator[Callable[[Progress], None]]:
    """One bar for the copies expected; gives what is to be called with the progress made."""
    columns = (TextColumn("Copies"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[moved]}"))
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("", total=expected.copies, moved="")

        def tell(done: Progress) -> None:
            settled = done.made + done.found + done.failed + done.moot
            # More may have become due meanwhile.
            total = max(expected.copies, settled)
            bars.update(bar, completed=settled, total=total, moved=decimal(done.moved_bytes))

        yield tell
