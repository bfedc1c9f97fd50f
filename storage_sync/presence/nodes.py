"""Which machines hold a local side, and which of them are alive.

Every process of a node says so now and then (`beat`); one task looks for those that have gone silent (`bury_dead`).
What a silent node held no longer counts, and nothing waits for it; one that comes back looks at what its disk still
holds. The disk has a name of its own (see `disks`), so that a disk that was replaced is not taken for the old one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.leases import in_seconds
from storage_sync import waking
from storage_sync.models import Copy, Node
from storage_sync.presence import disks
from storage_sync.presence.dying import DIED, REPLACED
from storage_sync.querysets import CopyQuerySet
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

BEATS = 8
"""Heartbeats within NODE_DEAD_SECONDS; two of them missed mean that nobody beats under that name now."""
FORGOTTEN_AFTER = timedelta(days=7)
AT_ONCE = 5_000
UNNAMED = uuid.UUID(int=0)
"""The disk of a node that has copies and has never been heard of."""
# What is to be emptied on a disk stays to be emptied, whatever becomes of its node meanwhile.
_ON_ITS_WAY_OUT = (FileState.PURGING, FileState.PURGED, FileState.ABANDONED)


class NameTakenError(Exception):
    """Another machine, with another disk, is alive under our name."""


@dataclass(slots=True)
class Presence:
    """What one process remembers of its own beats: the disk it was on."""

    disk_id: uuid.UUID | None = None


def interval() -> float:
    """Seconds between two heartbeats."""
    return float(settings.NODE_DEAD_SECONDS) / BEATS


def beat(presence: Presence) -> None:
    """Say that this node is alive, on this disk. Raises NameTakenError, OSError (the disk) and database errors."""
    root = local().root
    disk = disks.disk_id(root)
    room = disks.room(root)
    said = {
        "heartbeat_at": Now(),
        "is_durable": settings.DISK_DURABLE,
        "free_bytes": room.free,
        "total_bytes": room.total,
        "updated_at": Now(),
    }
    ours = Node.objects.filter(name=settings.STORAGE_NODE)
    if not ours.living().filter(disk_id=disk).update(**said):
        _arrive(disk, presence)
        ours.update(**said)
    presence.disk_id = disk


def living() -> set[str]:
    """Names of the nodes that are alive."""
    return set(Node.objects.living().values_list("name", flat=True))


def bury_dead() -> list[str]:
    """Take the copies of nodes that have gone silent out of the count; the names of those nodes.

    A disk that lives on under another name (a container that was made anew around its volume) hands them over to it.
    """
    _introduce_strangers()
    silent = Node.objects.silent().filter(died_at=None)
    buried = [name for name in list(silent.values_list("name", flat=True)) if _bury(name)]
    _forget_long_dead()
    return buried


def _arrive(disk: uuid.UUID, presence: Presence) -> None:
    """The first beat, or the first on another disk, or the first after a silence: look what changed."""
    name = settings.STORAGE_NODE
    with transaction.atomic():
        Node.objects.bulk_create(
            [Node(name=name, disk_id=disk, heartbeat_at=Now(), is_durable=settings.DISK_DURABLE)],
            ignore_conflicts=True,
        )
        node = Node.objects.select_for_update().get(name=name)
        if node.disk_id not in {disk, UNNAMED}:
            if node.disk_id != presence.disk_id and _beats_now(node):
                raise NameTakenError(
                    f"Another machine calls itself {name} and has another disk: give each its own CHATVISTA_NODE."
                )
            _replace_disk(node, disk)
            _is_dead_until_looked_at(node)
        elif node.died_at is not None or not _is_heard(node, settings.NODE_DEAD_SECONDS):
            _is_dead_until_looked_at(node)
            logger.info("node_came_back", node=name)
        Node.objects.filter(pk=node.pk).update(disk_id=disk, heartbeat_at=Now(), updated_at=Now())
    _look_again(name)
    Node.objects.filter(name=name, disk_id=disk).update(died_at=None, heartbeat_at=Now(), updated_at=Now())


def _is_dead_until_looked_at(node: Node) -> None:
    """Whoever is killed while looking leaves that to be done again."""
    Node.objects.filter(pk=node.pk, died_at=None).update(died_at=Now())


def _replace_disk(node: Node, disk: uuid.UUID) -> None:
    """Nothing that lay on the old disk is on the new one; but what came in since it was replaced is."""
    lost = _counted(node.name).update(
        state=CopyState.MISSING,
        next_attempt_at=None,
        error=REPLACED,
        lease_token=None,
        lease_until=None,
        updated_at=Now(),
    )
    audit.record(
        action="node.disk_replaced", target_kind="node", target_id=node.pk,
        node=node.name, old_disk=str(node.disk_id), new_disk=str(disk), copies=lost,
    )  # fmt: skip
    logger.warning("disk_replaced", node=node.name, copies=lost)


def _look_again(name: str) -> None:
    """Have the sync engine look at what was taken out of the count: the bytes may lie here.

    A durable disk gets back what it has not. A cache does not ask for that: it would fetch all it ever held.
    """
    buried = Copy.objects.filter(
        side=SideName.LOCAL, node=name, state=CopyState.MISSING, error__in=[DIED, REPLACED]
    )  # fmt: skip
    due = {"next_attempt_at": Now(), "error": "", "attempts": 0, "updated_at": Now()}
    if settings.DISK_DURABLE:
        buried.update(**due)
        return
    root, last = local().root, UNNAMED
    while rows := list(buried.filter(pk__gt=last).order_by("pk").values_list("pk", "file__key")[:AT_ONCE]):
        last = rows[-1][0]
        there = [pk for pk, key in rows if (Path(root) / key).is_file()]
        buried.filter(pk__in=there).update(**due)
        buried.filter(pk__in=[pk for pk, _ in rows]).update(error="", updated_at=Now())


def _bury(name: str) -> bool:
    """Batch by batch, each fenced by the node's row: a node that beats meanwhile wins, and looks at them again."""
    while True:
        with transaction.atomic():
            node = Node.objects.silent().filter(name=name, died_at=None).select_for_update().first()
            if node is None:
                return False
            heir = Node.objects.living().filter(disk_id=node.disk_id).exclude(disk_id=UNNAMED).first()
            some = list(_counted(name).values_list("pk", flat=True)[:AT_ONCE])
            if some:
                _take_out(some, heir)
                continue
            Node.objects.filter(pk=node.pk).update(died_at=Now(), updated_at=Now())
            audit.record(action="node.died", target_kind="node", target_id=node.pk, node=name)
            logger.warning("node_died", node=name, heir=heir.name if heir else None)
            return True


def _take_out(copies: list[uuid.UUID], heir: Node | None) -> None:
    some = Copy.objects.filter(pk__in=copies)
    gone = {"state": CopyState.MISSING, "lease_token": None, "lease_until": None, "updated_at": Now()}
    if heir is not None:
        its_own = Copy.objects.filter(file=OuterRef("file"), side=SideName.LOCAL, node=heir.name)
        some.filter(~Exists(its_own)).update(**gone, node=heir.name, error="", attempts=0, next_attempt_at=Now())
    some.filter(state=CopyState.PRESENT).update(**gone, error=DIED, next_attempt_at=None)


def _introduce_strangers() -> None:
    """A node with copies that never beat (an older version ran there) is given the time to, and then dies."""
    names: set[str] = set()
    local_copies = Copy.objects.exclude(node="").order_by("node")
    last = ""
    # From name to name along the index, instead of through all rows.
    while found := local_copies.filter(node__gt=last).values_list("node", flat=True).first():
        names.add(found)
        last = found
    unknown = names - set(Node.objects.values_list("name", flat=True))
    Node.objects.bulk_create(
        [Node(name=name, disk_id=UNNAMED, heartbeat_at=Now()) for name in unknown], ignore_conflicts=True
    )


def _forget_long_dead() -> None:
    """A container that went away for ever leaves rows behind at every deployment."""
    gone = Node.objects.filter(is_durable=False, died_at__lt=Now() - FORGOTTEN_AFTER)
    for node in list(gone):
        with transaction.atomic():
            if gone.select_for_update().filter(pk=node.pk).first() is None:
                continue
            Copy.objects.filter(side=SideName.LOCAL, node=node.name).delete()
            node.delete()
            transaction.on_commit(partial(waking.forget, node.name), robust=True)
            logger.info("node_forgotten", node=node.name)


def _counted(name: str) -> CopyQuerySet:
    there = Copy.objects.filter(side=SideName.LOCAL, node=name, state=CopyState.PRESENT)
    return there.exclude(file__state__in=_ON_ITS_WAY_OUT)


def _beats_now(node: Node) -> bool:
    return node.died_at is None and _is_heard(node, 2 * interval())


def _is_heard(node: Node, within: float) -> bool:
    return Node.objects.filter(pk=node.pk, heartbeat_at__gt=in_seconds(-within)).exists()
