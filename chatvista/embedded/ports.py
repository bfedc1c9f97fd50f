"""The port of a web process: PORT, 8000 (8001 for one more), or for a demo whatever is free."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from chatvista.embedded.failing import StackError
from chatvista.embedded.servers import LOOPBACK, free_port
from chatvista.embedded.surroundings import DEFAULT_PORT


def chosen_port(
    environ: Mapping[str, str], *, may_move: bool, default: str = DEFAULT_PORT, example: str = "make run PORT=8001"
) -> int:
    """The port to serve on. `example` shows how another one is chosen.

    Raises:
        StackError: PORT is no port number, or it is taken (with `may_move`: and was asked for by name).
    """
    given = environ.get("PORT")
    text = given or default
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) < 65536:
        message = f"PORT is {text!r}, which is not a port number."
        raise StackError(message)
    port = int(text)
    if _is_free(environ.get("CHATVISTA_BIND") or LOOPBACK, port):
        return port
    if may_move and not given:
        return free_port()
    message = f"Port {port} is taken by another program. Choose another one with PORT, for example: {example}"
    raise StackError(message)


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As gunicorn does: a port in TIME_WAIT after the last run is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            message = f"Port {port} may not be used by this user (PORT below 1024)."
            raise StackError(message) from error
        except OSError:
            return False
        return True
