"""`manage.py seed`: the accounts a fresh installation begins with."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.seeding import seed


class Command(BaseCommand):
    """Makes the demo organization, an operator and a host; running it again changes nothing."""

    help = "Make the demo organization, an operator and a host where they are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the command."""
        parser.add_argument("--logins", type=Path, help="file that keeps the passwords (JSON, mode 0600)")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *, logins: Path | None, **options: Any) -> None:
        """Seed, and say what there is now."""
        try:
            seeded = seed(logins_file=logins)
        except (OSError, ValueError) as error:
            raise CommandError(f"The logins cannot be kept: {error}") from error
        shown = {} if logins else seeded.logins
        if options["json"]:
            told = asdict(seeded) | {"logins": {who: asdict(login) for who, login in shown.items()}}
            self.stdout.write(json.dumps(told, indent=2))
            return
        self.stdout.write(f"Organization: {seeded.organization}")
        for login in shown.values():
            self.stdout.write(f"Made {login.email} with the password {login.password} (shown this once)")
        if logins:
            self.stdout.write(f"Logins are in {logins}")
        elif not seeded.created:
            self.stdout.write("Everybody was there already.")
