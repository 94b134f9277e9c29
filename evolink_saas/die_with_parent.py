"""`python die_with_parent.py PARENT COMMAND...`: become the command, and be killed as soon as the parent is gone.

Linux kills it for us, even after kill -9 of the parent; elsewhere the record of processes.py finds what stayed behind.
Runs by its path, isolated, so that it starts in some milliseconds: nothing of the project is imported.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def bind(parent: int) -> None:
    """Ask the kernel to kill this process when the one that started it ends; `parent` is its process id."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    bind(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
