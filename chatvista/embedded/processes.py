"""Child processes: started with a bounded log, ending with us, stopped as a group, recognised after a crash."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 5 * 1024 * 1024
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """What to start: `stop_signal` is the one it takes as a polite request to end."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    folder: Path
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    uid: int | None = None
    gid: int | None = None


class Child:
    """One running program in a process group of its own, so that Ctrl-C reaches it through us alone."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.started = time.monotonic()
        output = _opened(program.log) if program.log else None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, word by word, without a shell
                list(program.command),
                env=dict(program.environ),
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=0o077,
                user=program.uid,
                group=program.gid,
                extra_groups=None if program.uid is None else [],
                # Runs after the change of user, which would clear the parent-death signal.
                preexec_fn=_dying_with(os.getpid(), program.stop_signal),  # noqa: PLW1509 - one prctl, no locks
            )
        finally:
            if output is not None:
                os.close(output)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Ask politely, if it still runs."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(self.program.stop_signal)
                # One that somebody has paused (SIGSTOP, Ctrl-Z) would hear of it never.
                self._process.send_signal(signal.SIGCONT)

    def finish(self, *, patience: float) -> bool:
        """Wait up to `patience` seconds for the end, then end it and what it left in its group; True when polite."""
        try:
            self._process.wait(timeout=patience)
            polite = True
        except subprocess.TimeoutExpired:
            polite = False
        # Pool children of a killed master live on in its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        return polite


def born_at(pid: int) -> str | None:
    """When the process started, in the system's own words; with the id it names one process for ever."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        # Ticks since boot: only together with the boot do they name one moment.
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return None if fields[0] == "Z" else f"{boot}/{fields[19]}"
    found = subprocess.run(  # noqa: S603 - fixed words and a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def command_of(pid: int) -> str:
    """The command line of a process, empty when it is gone."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    found = subprocess.run(  # noqa: S603 - fixed words and a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def end_orphan(pid: int, *, polite: signal.Signals, patience: float = 8.0) -> None:
    """End a process that is not our child (a former owner's): politely, then by force."""
    born = born_at(pid)
    for number in (polite, signal.SIGKILL):
        if born is None or born_at(pid) != born:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while born_at(pid) == born and time.monotonic() < deadline:
            time.sleep(0.05)


def bound_log(log: Path) -> None:
    """Keep a log below twice its bound: the full file moves aside while its writer goes on appending."""
    try:
        if log.stat().st_size < _LOG_BYTES:
            return
    except FileNotFoundError:
        return
    kept = log.with_name(f"{log.name}.1")
    kept.write_bytes(log.read_bytes())
    kept.chmod(0o600)
    os.truncate(log, 0)


def last_lines(log: Path, *, count: int = 15) -> str:
    """The end of a log, for a person who asks why."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-count:])


def _opened(log: Path) -> int:
    bound_log(log)
    # O_APPEND: after a truncation the next line lands at the beginning, not after a hole.
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _dying_with(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    """Make the kernel send `number` to the child when we are gone, however we went (Linux only)."""
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # we died between fork and prctl
            os._exit(1)

    return ask_the_kernel
