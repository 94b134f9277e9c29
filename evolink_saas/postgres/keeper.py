"""Waits until nobody uses the server, however they ended, and stops it: `python -m …keeper DIRECTORY DATA`.

The kernel hands over the users' lock when its last holder is gone, by exit or by kill -9. A keeper that was killed is
replaced by the next process that uses the server; a second one ends at once.
"""

import os
import subprocess
import sys
from pathlib import Path

from evolink_saas.postgres import locks, postmaster

ROOT = Path(__file__).resolve().parent.parent.parent


def ensure(directory: Path, data: Path) -> None:
    """Start a keeper unless one is at work; it leaves our process group, and we need not wait for it."""
    descriptor = locks.take_keeper(directory)
    if descriptor is None:
        return
    os.close(descriptor)
    command = [sys.executable, "-m", __spec__.name, str(directory), str(data)]
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=ROOT, check=True, stdin=quiet, stdout=quiet, stderr=quiet)


def main(directory: Path, data: Path) -> None:
    if os.fork():
        return
    os.setsid()
    descriptor = locks.take_keeper(directory, patience_seconds=2)
    if descriptor is None:
        return
    locks.wait_for_last_user(directory)
    postmaster.stop(data)
    os.close(descriptor)  # before the users' lock goes: who waits for that one must find no keeper


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
