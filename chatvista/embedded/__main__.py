"""`python -m chatvista.embedded run | instance | demo | sample | tool`: what the Makefile calls."""

from __future__ import annotations

import argparse
import os
import sys

from chatvista.embedded.demonstrating import demonstrate
from chatvista.embedded.home import Home
from chatvista.embedded.instancing import run_instance
from chatvista.embedded.running import run
from chatvista.embedded.surroundings import with_placeholders


def main() -> int:
    """Parse the command line and do what it says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m chatvista.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run everything in the foreground")
    commands.add_parser("demo", help="run everything, send the sample meeting through, and leave")
    commands.add_parser("instance", help="run one more web process and worker beside a running stack")
    sample = commands.add_parser("sample", help="send the sample meeting through a running service")
    sample.add_argument("--url", required=True)
    tool = commands.add_parser("tool", help="run a tool that imports the settings but reaches no server")
    tool.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.command == "sample":
        return demonstrate(home=Home.of(os.environ), url=options.url)
    if options.command == "instance":
        return run_instance()
    if options.command == "tool":
        os.execvpe(options.words[0], options.words, with_placeholders(os.environ))  # noqa: S606 - the Makefile's words
    return run(is_demo=options.command == "demo")


if __name__ == "__main__":
    sys.exit(main())
