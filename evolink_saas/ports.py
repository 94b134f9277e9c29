"""Free ports of this machine's own address."""

import secrets
import socket

HOST = "127.0.0.1"
FIRST, COUNT = 20_000, 12_000  # below the range that outgoing connections take theirs from: a port kept here stays free


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def find_free() -> int:
    """Any free port; raises OSError when there is none."""
    for _ in range(1000):
        port = FIRST + secrets.randbelow(COUNT)
        if is_free(port):
            return port
    raise OSError(f"No free port was found between {FIRST} and {FIRST + COUNT}.")
