"""Where the server's data lie, and who runs it.

An ordinary user runs the server, and the data lie in `<directory>/server`. Root may not run PostgreSQL: then the user
`postgres`, or else `nobody`, runs it. When that user cannot reach the directory (a checkout below a closed folder), the
data lie in a private folder under /var/lib, or the temporary folder, named after the directory's path. The modes of
folders that we did not make are never changed.
"""

import hashlib
import os
import pwd
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evolink_saas.postgres.problem import PostgresProblem

RUNNERS = ("postgres", "nobody")
PRIVATE_PARENTS = (Path("/var/lib"), Path(tempfile.gettempdir()))
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True, kw_only=True)
class Place:
    server: Path  # belongs to the user who runs the server
    runner: pwd.struct_passwd | None  # None: ourselves

    @property
    def data(self) -> Path:
        return self.server / "data"

    @property
    def log(self) -> Path:
        return self.server / "log"

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as the server's user."""
        identity = {"user": self.runner.pw_uid, "group": self.runner.pw_gid, "extra_groups": []} if self.runner else {}
        settings: dict[str, Any] = {"cwd": self.server, "env": ENVIRONMENT, "umask": 0o077, **identity, **options}
        return subprocess.run(command, text=True, stdin=subprocess.DEVNULL, check=False, **settings)

    def can_run(self, binary: Path) -> bool:
        try:
            return self.run(str(binary), "-V", capture_output=True).returncode == 0
        except PermissionError:
            return False

    def can_write(self, folder: Path) -> bool:
        return self.run("/bin/sh", "-c", 'test -w "$1" && test -x "$1"', "sh", str(folder), cwd="/").returncode == 0


def of(directory: Path) -> Place:
    """The place of the server of `directory`: where data lie already, else the first that its user can reach."""
    runner = find_runner() if os.geteuid() == 0 else None
    near = Place(server=directory / "server", runner=runner)
    if runner is None:
        near.server.mkdir(mode=0o700, exist_ok=True)
        return near
    private = find_private(directory)
    if private and (far := Place(server=private / "server", runner=runner)).data.exists():
        return far
    make_for(runner, near.server)
    if near.can_write(near.server):
        return near
    if near.data.exists():
        raise PostgresProblem(f"User {runner.pw_name} can no longer reach {near.server}: a folder above it was closed.")
    far = Place(server=private_folder(directory) / "server", runner=runner)
    make_for(runner, far.server)
    return far


def find_runner() -> pwd.struct_passwd:
    for name in RUNNERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresProblem("PostgreSQL cannot run as root: add a user named postgres, or set DATABASE_URL.")


def make_for(runner: pwd.struct_passwd, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(folder, runner.pw_uid, runner.pw_gid)


def private_candidates(directory: Path) -> list[Path]:
    key = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    return [parent / f"evolink-saas-{key}" for parent in PRIVATE_PARENTS if parent.is_dir()]


def find_private(directory: Path) -> Path | None:
    """The private folder of `directory` if it was made before: root's own, and no link that someone else laid there."""
    for folder in private_candidates(directory):
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == 0:
            return folder
    return None


def private_folder(directory: Path) -> Path:
    """A folder of root's that every user may pass through and none but root may write, named after `directory`."""
    for folder in private_candidates(directory):
        with suppress(OSError):
            folder.mkdir(mode=0o711)
            folder.chmod(0o711)
        if found := find_private(directory):
            return found
    raise PostgresProblem(f"No folder could be made for PostgreSQL's data in {' or '.join(map(str, PRIVATE_PARENTS))}.")
