"""`make run` and `make demo`: become the owner of this checkout's stack, or say who is."""

from __future__ import annotations

import os
import time

from chatvista.embedded.claiming import Claim
from chatvista.embedded.demonstrating import demonstrate
from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.storytelling import complain, say
from chatvista.embedded.supervising import Supervisor
from chatvista.embedded.surroundings import with_dotenv


def run(*, is_demo: bool) -> int:
    """Run the whole of ChatVista in the foreground; returns the exit code."""
    home = Home.of(os.environ)
    with Claim(home) as claim:
        try:
            running = _own(claim, home)
            if running is not None:
                return _greet(home, url=running, is_demo=is_demo)
            return Supervisor(home=home, claim=claim, environ=with_dotenv(os.environ), is_demo=is_demo).run()
        except StackError as error:
            complain(str(error))
            return 1
        except KeyboardInterrupt:
            return 130


def _own(claim: Claim, home: Home) -> str | None:
    """Become the owner, waiting for a command that has servers of its own; the URL of a run that is there already."""
    deadline = time.monotonic() + 60
    told = False
    while time.monotonic() < deadline:
        if claim.attempt():
            if claim.is_owner:
                return None
            state = home.read(home.state.name)
            if state.get("kind") == "run":
                return str(state["variables"]["PUBLIC_URL"])
            claim.leave()
            if not told:
                say("Waiting for another command in this checkout to end ...")
                told = True
        time.sleep(0.1)
    message = "Another command in this checkout has been using its servers for a minute; try again when it has ended."
    raise StackError(message)


def _greet(home: Home, *, url: str, is_demo: bool) -> int:
    if not is_demo:
        complain(f"ChatVista already runs in this checkout: {url} (stop it with Ctrl-C where it was started).")
        return 1
    say(f"ChatVista already runs in this checkout: {url}. Sending the sample there.")
    return demonstrate(home=home, url=url)
