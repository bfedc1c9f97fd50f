"""The web application, made to SIGKILL its own process group at one named call: for tests of what is left then.

Served as `gunicorn ... tests.journeys.dying:application`. DIE_AT names the call, `module:Class.function`, DIE_WHEN is
`before` or `after`, DIE_NTH counts the calls (1 is the first). Nothing of this is in the service itself.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import signal
from typing import Any

from chatvista.wsgi import application

__all__ = ["application"]


def _arm(*, target: str, when: str, nth: int) -> None:
    module_name, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module_name)
    for part in owners:
        owner = getattr(owner, part)
    original = getattr(owner, name)
    calls = itertools.count(1)

    @functools.wraps(original)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        is_the_one = next(calls) == nth
        if is_the_one and when == "before":
            os.killpg(0, signal.SIGKILL)
        result = original(*args, **kwargs)
        if is_the_one:
            os.killpg(0, signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


_arm(target=os.environ["DIE_AT"], when=os.environ["DIE_WHEN"], nth=int(os.environ["DIE_NTH"]))
