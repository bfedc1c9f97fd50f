"""What lies in the Space at many keys, asked with few requests: by listing the folders where many of them are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from chatvista.foundation.problems import WorkError
from storage_sync.sides.bulk import BulkSide
from storage_sync.sides.contract import PAGE_KEYS, Found

logger = structlog.get_logger(__name__)

# Fewer keys of one folder than this are asked for one by one.
WORTH_A_LIST = 32


@dataclass(slots=True)
class Sight:
    """`found` by key; what is in `asked` and not in `found` was not there. Of other keys nothing is known."""

    found: dict[str, Found] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)


def look(*, side: BulkSide, keys: Iterable[str]) -> Sight:
    """List what is worth a listing. A listing that fails, or leads through too much else, leaves the rest unknown."""
    sight = Sight()
    folders: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        # Not the folder of the file, which is its own, but the month's.
        folders["/".join(key.split("/")[:-2])].append(key)
    for folder, members in folders.items():
        if len(members) >= WORTH_A_LIST:
            try:
                _list(side, folder, sorted(members), sight)
            except WorkError as error:
                logger.info("listing_failed", folder=folder, code=error.code)
    return sight


def _list(side: BulkSide, folder: str, wanted: Sequence[str], sight: Sight) -> None:
    first, last = wanted[0], wanted[-1]
    unseen = set(wanted)
    pages = 2 + 2 * len(wanted) // PAGE_KEYS
    # Keys of one time lie side by side, so that little else is listed between the first and the last of them.
    for page in side.listed(prefix=folder, after=first[:-1]):
        for item in page:
            if item.key in unseen:
                sight.found[item.key] = item
        reached = page[-1].key if page else last
        pages -= 1
        if reached >= last or not pages:
            break
    else:
        reached = last
    sight.asked.update(key for key in wanted if key <= reached)
