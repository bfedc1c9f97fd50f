#!/usr/bin/env python
"""Django's commands, led to the embedded stack where no other servers are named."""

from __future__ import annotations

import os
import sys

from chatvista.embedded.attaching import attached
from chatvista.embedded.failing import StackError


def main() -> None:
    """Run the command in `sys.argv`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatvista.settings")
    try:
        with attached(sys.argv):
            # Imported only now: importing Django is half a second that the stack can start in.
            from django.core.management import execute_from_command_line  # noqa: PLC0415

            execute_from_command_line(sys.argv)
    except StackError as error:
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main()
