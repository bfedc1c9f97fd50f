"""`manage.py storage`: reconcile, scrub, sweep, rewrap, status, nodes, and everything that is known about one file.

Exit codes of `reconcile` and `scrub`: 0 when there was no difference, 1 when there were (repaired or not), 2 when a
guard stopped it; `reconcile` says 1 as long as a file is lost; `rewrap` says 1 when a file is left that hangs on an old
key. JSON goes alone to stdout, progress and sentences of trouble to stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from storage_sync.inspecting import clearing, recording, sweeping
from storage_sync.inspecting.guards import FORCIBLE
from storage_sync.inspecting.reconciling import Order, reconcile
from storage_sync.inspecting.scrubbing import BYTES_A_SECOND, Slice, hourly, scrub
from storage_sync.models import Inspection
from storage_sync.reporting import ledger, status, storytelling
from storage_sync.sealing import remnants, rewrapping
from storage_sync.uploading import sweeping as uploads
from storage_sync.vocabulary import Category, FileState, SideName

_SIDES = [SideName.LOCAL.value, SideName.CLOUD.value]


class Command(BaseCommand):
    """Each subcommand makes one call."""

    help = "Look after the storeroom: reconcile, scrub, sweep, rewrap, status, nodes, ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand for each deed."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        told = CommandParser(add_help=False)
        told.add_argument("--json", action="store_true", help="print JSON alone")
        where = CommandParser(add_help=False)
        where.add_argument("--side", choices=_SIDES, action="append", help="this side alone (both)")
        where.add_argument("--category", choices=Category.values, action="append", help="this category alone (all)")
        comparing = deeds.add_parser(
            "reconcile", parents=[where, told], help="compare the ledger with both sides; mend"
        )
        comparing.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
        comparing.add_argument(
            "--force-guard", choices=FORCIBLE, action="append", default=[], metavar="GUARD",
            help=f"go on although this guard says no: {', '.join(FORCIBLE)}",
        )  # fmt: skip
        reading = deeds.add_parser("scrub", parents=[where, told], help="read bytes again and compare their sha256")
        reading.add_argument("--all", action="store_true", help="every byte (an hourly slice of them)")
        reading.add_argument("--seconds", type=float, help="begin no file after this long (900; with --all no end)")
        reading.add_argument("--rate", type=float, help="MiB a second at most (32; 0 for no bound)")
        deeds.add_parser(
            "sweep", parents=[told], help="settle what killed processes left, on this node and in the Space"
        )
        wrapping = deeds.add_parser(
            "rewrap", parents=[told], help="hang the keys of sealed files on the current ENCRYPTION_KEY"
        )
        wrapping.add_argument("--dry-run", action="store_true", help="say how many would be, change nothing")
        deeds.add_parser("status", parents=[told], help="where the storeroom stands")
        deeds.add_parser("nodes", parents=[told], help="the machines with a disk")
        looking = deeds.add_parser("ledger", parents=[told], help="everything known about one file")
        looking.add_argument("file", help="its id, key or sha256, or the id of its upload")

    def handle(self, *, deed: str, **options: Any) -> None:
        """Do the one that was asked for."""
        deeds: dict[str, Callable[[dict[str, Any]], int]] = {
            "reconcile": self._reconcile, "scrub": self._scrub, "sweep": self._sweep, "status": self._status,
            "nodes": self._nodes, "ledger": self._ledger, "rewrap": self._rewrap,
        }  # fmt: skip
        if code := deeds[deed](options):
            sys.exit(code)

    def _reconcile(self, options: dict[str, Any]) -> int:
        order = Order(
            sides=_sides(options),
            categories=options["category"],
            is_dry_run=options["dry_run"],
            forced=options["force_guard"],
        )
        outcome = reconcile(order, progress=self._follow)
        told = {**_told(outcome.inspection), "differences": outcome.differences, "examples": outcome.examples}
        told["lost"] = status.files_by_state().get(FileState.LOST, 0)
        self._say(options, told, storytelling.of_reconciliation(told))
        return 2 if outcome.inspection.aborted else int(outcome.differences > 0 or told["lost"] > 0)

    def _scrub(self, options: dict[str, Any]) -> int:
        usual = hourly(_sides(options))
        rate = BYTES_A_SECOND if options["rate"] is None else options["rate"] * 1024 * 1024 or None
        seconds = options["seconds"] or (float("inf") if options["all"] else usual.seconds)
        inspection = scrub(
            Slice(
                sides=usual.sides,
                categories=options["category"],
                share=None if options["all"] else usual.share,
                seconds=seconds,
                rate=rate,
            ),
            progress=self._follow,
        )
        told = {**_told(inspection), "differences": recording.differences_in(inspection.verdicts)}
        self._say(options, told, storytelling.of_scrub(told))
        return int(told["differences"] > 0)

    def _sweep(self, options: dict[str, Any]) -> int:
        told = {
            "reservations": dict(sweeping.sweep_reservations()),
            "uploads": dict(uploads.sweep()),
            "disk": dict(clearing.clear_disk()),
            "space": dict(clearing.clear_space()),
            "remnants": {"emptied": remnants.remove_due()},
        }
        self._say(options, told, storytelling.of_sweep(told))
        return 0

    def _rewrap(self, options: dict[str, Any]) -> int:
        done = rewrapping.rewrap_all(is_dry_run=options["dry_run"], tell=self._follow)
        told = {
            "dry_run": options["dry_run"],
            "rewrapped": 0 if options["dry_run"] else done.done,
            "left": done.left,
            "refused": dict(done.refused),
            "unknown_keys": sorted(done.unknown_keys),
            "keys_in_use": rewrapping.keys_in_use(),
        }
        self._say(options, told, storytelling.of_rewrapping(told))
        return int(done.left > 0 and not options["dry_run"])

    def _status(self, options: dict[str, Any]) -> int:
        told = status.status()
        self._say(options, told, storytelling.of_status(told))
        return 0

    def _nodes(self, options: dict[str, Any]) -> int:
        told = status.status()["nodes"]
        self._say(options, told, storytelling.of_nodes(told))
        return 0

    def _ledger(self, options: dict[str, Any]) -> int:
        told = ledger.everything_about(options["file"])
        if told is None:
            raise CommandError(f"Nothing is known about {options['file']}.")
        self._say(options, told, json.dumps(told, cls=DjangoJSONEncoder, indent=2))
        return 0

    def _say(self, options: dict[str, Any], told: Any, sentence: str) -> None:
        self.stdout.write(json.dumps(told, cls=DjangoJSONEncoder, indent=2) if options["json"] else sentence)

    def _follow(self, number: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{number} looked at", ending="")


def _sides(options: dict[str, Any]) -> list[SideName] | None:
    return None if options["side"] is None else [SideName(side) for side in options["side"]]


def _told(inspection: Inspection) -> dict[str, Any]:
    return {
        "inspection": inspection.pk,
        "node": inspection.node,
        "dry_run": inspection.is_dry_run,
        "files": inspection.files,
        "bytes_read": inspection.bytes_read,
        "verdicts": inspection.verdicts,
        "aborted": inspection.aborted or None,
    }
