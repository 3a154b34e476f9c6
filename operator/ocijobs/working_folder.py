"""A folder for one process, in a place that several may share; what dead processes left there is removed.

A process that is killed can't clear up, and a volume outlives the container. So each folder is locked for as long as
its process lives, and whoever comes next removes those that nobody has locked.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "ocijobs-"
_LOCK = "lock"
_OPENED = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC


def default_place(what: str) -> Path:
    """Return where this user's processes have such folders, if nothing else is said."""
    return Path(tempfile.gettempdir()) / f"ocijobs-{os.getuid()}" / what


@contextmanager
def working_folder(place: Path) -> Iterator[Path]:
    """Give a new folder that nobody else may look into; it is gone afterwards.

    Raises:
        OSError: if there can be none, or the place is another user's.
    """
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to another user: name another folder")
    with _locked(place / _LOCK):
        _remove_leftovers(place)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        lock = os.open(folder / _LOCK, _OPENED, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        # What can't be removed now is what the next process finds.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep others from making and removing folders meanwhile."""
    file = os.open(path, _OPENED, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _remove_leftovers(place: Path) -> None:
    """Remove the folders of processes that have died."""
    for folder in place.glob(f"{_PREFIX}*"):
        lock = os.open(folder / _LOCK, _OPENED, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
