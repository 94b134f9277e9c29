"""A PostgreSQL server of this checkout's own, for development and tests; production names its server in DATABASE_URL.

`provide()` is called by manage.py and wsgi.py before the settings are read, so the settings know only DATABASE_URL. The
server's data lie under var/postgres; any number of processes share it, and it stops when the last of them is gone.

    binaries.py   which PostgreSQL: $PGBIN, the wheel, the newest of the system
    place.py      where the data lie and which user runs the server (never root)
    server.py     create, start, recognise and stop one
    keeper.py     the small process that waits for the last user and stops the server
"""

import os
from pathlib import Path

from evolink_saas.postgres.problem import PostgresProblem
from evolink_saas.postgres.server import Urls, revive, start

__all__ = ["PostgresProblem", "Urls", "folder", "provide", "revive", "urls"]

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def folder() -> Path:
    return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve() / "postgres"


def urls(directory: Path) -> Urls:
    """Start the server of `directory`, or join the one that runs, and say how both roles reach it.

    The calling process counts as a user of the server until it ends. Raises PostgresProblem.
    """
    return start(directory)


def provide() -> None:
    """Make sure that DATABASE_URL names a server: without one, this checkout's own is started."""
    if os.environ.get("DATABASE_URL"):
        return
    here = urls(folder())
    os.environ.update(DATABASE_URL=here.app, DATABASE_OWNER_URL=here.owner)
