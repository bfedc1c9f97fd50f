"""An S3 server in the place of DigitalOcean Spaces: `rclone serve s3` over a folder of real files."""

from __future__ import annotations

from chatvista.embedded.home import Home
from chatvista.embedded.processes import Program
from chatvista.embedded.servers import LOOPBACK, accepts, plain_environment
from chatvista.embedded.wheels import rclone

BUCKET = "chatvista"


class Spaces:
    """The S3 server of one home.

    Objects are files below `.chatvista/spaces/chatvista`. rclone's `hasher` keeps their MD5s beside them: without it
    every HEAD and every line of a listing would read the object once.
    """

    name = "the S3 server"

    def __init__(self, *, home: Home, access_key: str, secret_key: str) -> None:
        self._folder = home.path / "spaces"
        self._hashes = home.path / "spaces-hashes"
        self._log = home.logs / "spaces.log"
        self._access_key = access_key
        self._secret_key = secret_key

    def prepare(self) -> None:
        """Create the bucket."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._hashes.mkdir(mode=0o700, exist_ok=True)
        (self._folder / BUCKET).mkdir(mode=0o700, exist_ok=True)

    def program(self, *, port: int) -> Program:
        """The server, told its keys by the environment: a command line is visible to everybody."""
        environ = plain_environment(folder=self._hashes) | {
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_OBJECTS_TYPE": "hasher",
            "RCLONE_CONFIG_OBJECTS_REMOTE": str(self._folder),
            "RCLONE_CONFIG_OBJECTS_HASHES": "md5",
            "RCLONE_CONFIG_OBJECTS_MAX_AGE": "off",
            "RCLONE_AUTH_KEY": f'"{self._access_key},{self._secret_key}"',
            "GOMEMLIMIT": "256MiB",
        }
        command = [str(rclone()), "serve", "s3", "objects:", "--addr", f"{LOOPBACK}:{port}"]
        # Files changed behind its back (tests, a person with a shell) are seen within a second.
        command += ["--cache-dir", str(self._hashes), "--dir-cache-time", "1s", "--umask", "077"]
        return Program(name=self.name, command=command, environ=environ, folder=self._folder, log=self._log)

    def is_ready(self, *, port: int) -> bool:
        """Whether it accepts connections; it listens only once it can serve."""
        return accepts(port)

    def variables(self, *, port: int) -> dict[str, str]:
        """The DO_SPACES_* family."""
        return {
            "DO_SPACES_ENDPOINT": f"http://{LOOPBACK}:{port}",
            "DO_SPACES_REGION": "us-east-1",
            "DO_SPACES_BUCKET": BUCKET,
            "DO_SPACES_ACCESS_KEY": self._access_key,
            "DO_SPACES_SECRET_KEY": self._secret_key,
            "DO_SPACES_ADDRESSING": "path",
        }
