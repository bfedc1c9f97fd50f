"""A model of how receiving, sweeping, moving and reconciling share one file, small enough to try every interleaving.

One file, two keys (`L` live, `A` archived), two sides. Every step below is atomic in the real code, too: one statement
or transaction, or one call to a side. Any process may die or stall between any two of its steps; leases run out when
they like. Time is what it is in the code, an assumption: nothing that was begun before a file moved is still under way
when the old key is emptied (LINK_SECONDS), and no receipt takes a week between its rename and its first row.

`mutants` names the safeguards that are left out, to see that they are needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

LIVE, ARCHIVED = "L", "A"
VISIBLE = {"stored", "archived"}
HOME = {"stored": LIVE, "archived": ARCHIVED}
Places = frozenset[str]
NOTHING: Places = frozenset()
MOVES = 2
"""To the archive and back: what a third move meets, the first has met."""


@dataclass(frozen=True, slots=True)
class World:
    """Row, bytes, and how far everybody is."""

    row: str = ""
    key: str = LIVE
    other: str = ""
    holder: str = ""
    is_leased: bool = False
    disk: Places = NOTHING
    space: Places = NOTHING
    late: bool = False
    is_lost: bool = False
    receiver: str = "begins"
    sweeper: str = ""
    movers: tuple[tuple[str, str, str], tuple[str, str, str]] = (("", "", ""), ("", "", ""))
    strangers: tuple[str, ...] = ()
    condemned: str = ""
    has_lost_disk: bool = False
    looked: tuple[str, str, int, int] | None = None
    moves: int = 0
    flips: int = 0

    def but(self, **changes: Any) -> World:
        """The same, but for that."""
        return replace(self, **changes)

    def mover(self, number: int, step: str = "", row: str = "", key: str = "") -> tuple[Any, Any]:
        """The movers, with that one where it now is."""
        movers = list(self.movers)
        movers[number] = (step, row, key)
        return movers[0], movers[1]


def violation(world: World) -> str:
    """What must never be, and is."""
    if world.row in VISIBLE:
        somewhere = {world.key, world.other} & (world.disk | world.space)
        if not somewhere:
            return "a visible file has no bytes at its keys"
        if world.is_lost:
            return "a file that has its bytes was declared lost"
    return ""


def explore(mutants: Collection[str] = ()) -> tuple[int, str, list[str]]:
    """Every world that can be reached: how many, the first violation, and the steps that lead to it."""
    begin = World()
    came_from: dict[World, tuple[World | None, str]] = {begin: (None, "")}
    waiting = [begin]
    while waiting:
        following: list[World] = []
        for world in waiting:
            for name, then in steps(world, mutants):
                if then in came_from:
                    continue
                came_from[then] = (world, name)
                if wrong := violation(then):
                    return len(came_from), wrong, _path(came_from, then)
                following.append(then)
        waiting = following
    return len(came_from), "", []


def _path(came_from: dict[World, tuple[World | None, str]], world: World) -> list[str]:
    path: list[str] = []
    at: World | None = world
    while at is not None:
        at, name = came_from[at]
        path.append(name)
    return path[::-1][1:]


def steps(world: World, mutants: Collection[str]) -> Iterator[tuple[str, World]]:
    """What may happen next."""
    yield from _receiving(world, mutants)
    yield from _sweeping(world)
    yield from _people(world)
    for number in (0, 1):
        yield from _moving(world, number, mutants)
    yield from _reconciling(world, mutants)
    if world.is_leased:
        yield "the lease runs out", world.but(is_leased=False)
    if not world.has_lost_disk:
        yield "the disk is lost", world.but(has_lost_disk=True, disk=NOTHING)
    if world.late:
        yield "a late PUT arrives", world.but(late=False, space=world.space | {LIVE})
        yield "a late PUT is dropped", world.but(late=False)


def _receiving(world: World, mutants: Collection[str]) -> Iterator[tuple[str, World]]:
    at = world.receiver
    if at in {"", "dead"}:
        return
    yield "the receiver is killed", world.but(receiver="dead", late=world.late or at == "puts")
    if at == "begins":
        yield "rename", world.but(receiver="reserves", disk=world.disk | {LIVE})
    elif at == "reserves":
        then = world.but(receiver="puts", row="reserved", holder="receiver", is_leased=True)
        yield "TX1", then
    elif at == "puts":
        # A disk that went away under an open file does not cut a PUT that is under way.
        if LIVE in world.disk | world.space or world.has_lost_disk:
            yield "PUT", world.but(receiver="commits", space=world.space | {LIVE})
        gave_up = world.but(receiver="", late=True)
        if world.row == "reserved" and world.holder == "receiver":
            gave_up = gave_up.but(row="abandoned", holder="", is_leased=False, disk=world.disk - {LIVE})
        yield "PUT times out", gave_up
    elif at == "commits":
        is_ours = world.row == "reserved" and world.holder == "receiver"
        if is_ours or "unfenced TX2" in mutants:
            yield "TX2", world.but(receiver="", row="stored", holder="", is_leased=False)
        else:
            yield "TX2 is refused", world.but(receiver="")


def _sweeping(world: World) -> Iterator[tuple[str, World]]:
    if world.sweeper:
        yield "the sweeper is killed", world.but(sweeper="")
    if not world.sweeper and world.row == "reserved" and not world.is_leased:
        yield "sweep: claim", world.but(sweeper="looks", holder="sweeper", is_leased=True)
    elif world.sweeper == "looks":
        if LIVE in world.disk:
            yield "sweep: PUT", world.but(sweeper="finishes", space=world.space | {LIVE})
        elif LIVE in world.space:
            yield "sweep: found", world.but(sweeper="finishes")
        else:
            yield "sweep: nothing", world.but(sweeper="drops")
    elif world.sweeper in {"finishes", "drops"}:
        then = world.but(sweeper="")
        if world.row == "reserved" and world.holder == "sweeper":
            row = "stored" if world.sweeper == "finishes" else "abandoned"
            then = then.but(row=row, holder="", is_leased=False)
        yield "sweep: settle", then
    if world.row == "abandoned" and LIVE in world.disk | world.space and not world.late:
        yield "sweep: leftovers", world.but(disk=world.disk - {LIVE}, space=world.space - {LIVE})


def _people(world: World) -> Iterator[tuple[str, World]]:
    if world.row in VISIBLE and world.moves < MOVES and not world.is_lost:
        row = "archived" if world.row == "stored" else "stored"
        other = HOME[row] if world.key != HOME[row] else world.other
        yield row, world.but(row=row, other=other, moves=world.moves + 1)


def _moving(world: World, number: int, mutants: Collection[str]) -> Iterator[tuple[str, World]]:
    at, row, key = world.movers[number]
    me = f"mover{number}"
    if not at:
        yield from _claiming(world, number, mutants)
        return
    yield f"{me} is killed", world.but(movers=world.mover(number))
    done = world.but(movers=world.mover(number))
    if at == "copies":
        copied = _copied(world, key, HOME[row])
        if HOME[row] in copied.disk | copied.space:
            step = "flips" if "delete before flip" not in mutants else "deletes early"
            yield f"{me}: copy", copied.but(movers=world.mover(number, step, row, key))
    elif at == "deletes early":
        then = world.but(movers=world.mover(number, "flips", row, key))
        yield f"{me}: delete", then.but(disk=world.disk - {key}, space=world.space - {key})
    elif at == "flips":
        if world.holder == me and world.row == row and world.key == key:
            done = done.but(key=HOME[row], other=key, holder="", is_leased=False, flips=world.flips + 1)
        yield f"{me}: flip", done
    elif at == "empties":
        yield f"{me}: empty", _emptied(world, number, row, key, mutants)
    elif at == "forgets":
        if world.holder == me and world.row == row:
            done = done.but(other="", holder="", is_leased=False)
        yield f"{me}: forget", done


def _claiming(world: World, number: int, mutants: Collection[str]) -> Iterator[tuple[str, World]]:
    if world.row not in VISIBLE or not world.other or (world.is_leased and world.holder):
        return
    step = "empties" if world.key == HOME[world.row] else "copies"
    if step == "empties" and "impatient" not in mutants and _anybody_stale(world, number):
        return
    then = world.but(holder=f"mover{number}", is_leased=True)
    yield f"mover{number}: claim", then.but(movers=world.mover(number, step, world.row, world.key))


def _copied(world: World, key: str, to: str) -> World:
    return world.but(
        disk=world.disk | {to} if key in world.disk else world.disk,
        space=world.space | {to} if key in world.space else world.space,
    )


def _emptied(world: World, number: int, row: str, key: str, mutants: Collection[str]) -> World:
    """On each side the bytes are at `key`, or are brought there first, before the other key is emptied."""
    old = LIVE if key == ARCHIVED else ARCHIVED
    disk, space = world.disk, world.space
    if "empty blindly" not in mutants:
        disk = disk | {key} if old in disk else disk
        space = space | {key} if old in space else space
    return world.but(disk=disk - {old}, space=space - {old}, movers=world.mover(number, "forgets", row, key))


def _anybody_stale(world: World, number: int) -> bool:
    """Whether somebody is still at something that was begun before the file moved."""
    is_receiving = world.receiver not in {"", "dead"} or world.sweeper != ""
    return world.movers[1 - number][0] != "" or is_receiving or world.condemned != ""


def _reconciling(world: World, mutants: Collection[str]) -> Iterator[tuple[str, World]]:
    known = {world.key, world.other} if world.row else set()
    if world.condemned:
        found = world.condemned
        yield "unknown: put aside", world.but(condemned="", disk=world.disk - {found}, space=world.space - {found})
    elif world.strangers:
        found, rest = world.strangers[0], world.strangers[1:]
        yield "unknown: leave alone", world.but(strangers=rest)
        if found not in known or "no second look" in mutants:
            yield "unknown: second look", world.but(strangers=rest, condemned=found)
    else:
        seen = tuple(sorted((world.disk | world.space) - known))
        if seen and (world.receiver != "reserves" or "no patience" in mutants):
            yield "list: unknown", world.but(strangers=seen)
    yield from _looking(world, mutants)


def _looking(world: World, mutants: Collection[str]) -> Iterator[tuple[str, World]]:
    """Key, other key, key again: bytes go from the second to the first when they were only there."""
    if world.looked is None:
        if world.row in VISIBLE and not world.is_lost:
            yield "look: read the row", world.but(looked=(world.key, world.other, world.flips, 0))
        return
    key, other, flips, asked = world.looked
    asking = [key, other, key] if "one look" not in mutants else [key]
    if asked < len(asking):
        there = asking[asked] in world.disk | world.space
        yield f"look: ask for {asking[asked]}", world.but(looked=None if there else (key, other, flips, asked + 1))
        return
    # The key alone is not enough: the file may have moved away and back.
    is_same = (world.key, world.flips) == (key, flips)
    if "no row compared" in mutants:
        is_same = True
    elif "key alone compared" in mutants:
        is_same = world.key == key
    yield "look: judge", world.but(looked=None, is_lost=world.is_lost or (is_same and world.row in VISIBLE))
