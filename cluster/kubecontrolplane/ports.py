"""Free ports on loopback.

Nothing can hold a port for another program: between the choice and the program's own bind it
may be taken. So a choice is a proposal, and whoever starts a program retries with another when
its log says that the port was gone.
"""

import socket
from collections.abc import Collection

HOST = "127.0.0.1"
_CANDIDATES = 100


def free_port(*, exclude: Collection[int] = ()) -> int:
    """A port of 127.0.0.1 that nothing listens on right now.

    Args:
        exclude: ports already promised to somebody else.

    Raises:
        OSError: the system has no port left.
    """
    for _ in range(_CANDIDATES):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
            candidate.bind((HOST, 0))
            port: int = candidate.getsockname()[1]
        if port not in exclude:
            return port
    raise OSError(f"no free port on {HOST} besides {sorted(exclude)}")


def is_free(port: int) -> bool:
    """Whether nothing listens on the port right now.

    SO_REUSEADDR is set as Go's listeners set it: connections of a former listener that linger in
    TIME_WAIT don't make a port taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except OSError:
            return False
    return True


def port_was_taken(log: str) -> bool:
    """Whether a Go program's log says that it could not bind its port."""
    return "address already in use" in log
