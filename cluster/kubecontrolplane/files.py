"""Files that hold secrets or that others read while they are written."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, all at once: a reader sees the old or the new.

    Raises:
        OSError: the directory is missing or can't be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock between processes; the system frees it if the holder dies.

    The holder may remove the file, even with its directory: who waited on it then makes a new one.

    Args:
        path: the lock file, created as needed with its directory.
        on_wait: called if another process holds the lock.
    """
    handle = _acquire(path, on_wait)
    while not _is_at(path, handle):
        os.close(handle)
        handle = _acquire(path, on_wait)
    try:
        yield
    finally:
        os.close(handle)


def _acquire(path: Path, on_wait: Callable[[], None]) -> int:
    while True:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            break
        except FileNotFoundError:
            continue  # its directory was removed meanwhile
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait()
        fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def _is_at(path: Path, handle: int) -> bool:
    """Whether the open file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
