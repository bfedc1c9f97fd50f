"""`manage.py sync`: makes the copies that are due, says what is to be made, brings files to this disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from storage_sync.management.showing import watched
from storage_sync.syncing import backlog, run, want_here
from storage_sync.syncing.backlog import Backlog, at_hand
from storage_sync.syncing.running import Progress
from storage_sync.syncing.wanting import missing_here, size_of
from storage_sync.vocabulary import Category, SideName

INTERRUPTED = 130


class Command(BaseCommand):
    """Exit status: 0 when nothing is left to be made, 1 when something is, 2 when it cannot be tried."""

    help = "Make the copies that are due (run), say what is to be made (status), bring files to this disk (pull)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The three verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb, told in (
            ("run", "make due copies until none is left that is due"),
            ("status", "say what is to be made, on all nodes, and why it is not yet"),
            ("pull", "have every stored and archived file on this disk, which must be durable"),
        ):
            one = verbs.add_parser(verb, help=told)
            one.add_argument("--category", action="append", choices=Category.values, help="only these; may be repeated")
            one.add_argument("--json", action="store_true", help="print JSON alone")
            if verb != "status":
                one.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
                one.add_argument("--seconds", type=float, help="begin nothing new after so many seconds")

    def handle(self, *, verb: str, category: list[str] | None, **options: Any) -> None:
        """Do what was asked; what is left decides the exit status."""
        categories = category or []
        if verb == "status":
            left = backlog(categories=categories)
            self._print_backlog(left, as_json=options["json"])
        elif verb == "pull":
            left = self._pull(categories, options)
        else:
            left = self._run(categories, options)
        if left.copies and verb != "status" and not options["dry_run"]:
            raise SystemExit(1)

    def _pull(self, categories: list[str], options: dict[str, Any]) -> Backlog:
        if not settings.DISK_DURABLE:
            raise CommandError("This disk is a cache: set CHATVISTA_DISK_DURABLE=true on a volume.", returncode=2)
        if not settings.SPACES_ENDPOINT:
            raise CommandError("There is no Space to bring files from: set DO_SPACES_*.", returncode=2)
        if options["dry_run"]:
            files, held_bytes = size_of(missing_here(categories=categories))
            self._print({"would_fetch": files, "bytes": held_bytes}, as_json=options["json"])
            return Backlog([], [])
        want_here(categories=categories)
        return self._run(categories, options)

    def _run(self, categories: list[str], options: dict[str, Any]) -> Backlog:
        before = at_hand(categories=categories)
        if options["dry_run"]:
            self._print_backlog(before, as_json=options["json"])
            return before
        try:
            with watched(before) as tell:
                done = run(categories=categories, seconds=options["seconds"], tell=tell)
        except KeyboardInterrupt:
            # What had begun was finished and written down, the rest given back.
            raise SystemExit(INTERRUPTED) from None
        left = at_hand(categories=categories, now=False)
        self._print(_told(done) | {"left": left.copies}, as_json=options["json"])
        return left

    def _print(self, told: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(told, indent=2))
            return
        for name, value in told.items():
            if value not in ({}, ""):
                self.stdout.write(f"{name.replace('_', ' ')}: {value}")

    def _print_backlog(self, found: Backlog, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(found) | {"copies": found.copies}, indent=2, default=str))
            return
        for pile in found.piles:
            where = "to the Space" if pile.side == SideName.CLOUD else "to disks"
            self.stdout.write(
                f"{pile.category} {where}: {pile.copies} copies, {pile.held_bytes} bytes, {pile.due} due, "
                f"{pile.under_way} under way, oldest since {pile.oldest_at:%Y-%m-%d %H:%M:%S} UTC"
            )
        for error, copies in found.errors:
            self.stdout.write(f"{copies} times: {error}")
        if not found.piles:
            self.stdout.write("Nothing is to be made.")


def _told(done: Progress) -> dict[str, Any]:
    told = asdict(done)
    return {**told, "errors": dict(done.errors)}
