"""The places that this process can look at: its own disk and the Space."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings

from storage_sync.sides.cloud import cloud
from storage_sync.sides.contract import Side
from storage_sync.sides.local import local
from storage_sync.vocabulary import SideName


@dataclass(frozen=True, slots=True)
class Place:
    """One side as the ledger names it: `node` is empty for the Space."""

    name: SideName
    node: str
    side: Side

    @property
    def is_cloud(self) -> bool:
        """Whether every node shares it."""
        return self.name == SideName.CLOUD

    def __str__(self) -> str:
        return "the Space" if self.is_cloud else f"the disk of {self.node}"


def reachable(names: Collection[SideName] | None = None) -> list[Place]:
    """Places of those names (all of them without names); the Space only where there is one."""
    places = [Place(SideName.LOCAL, settings.STORAGE_NODE, local())]
    side = cloud()
    if side is not None:
        places.append(Place(SideName.CLOUD, "", side))
    return [place for place in places if names is None or place.name in names]
