"""Limits of a source: bytes, files, and the length of their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from ocijobs.artifact.files import SourceError

LONGEST_NAME = 255
"""Highest number of bytes in a file's name: Linux's limit, since the run has to store the file under that name, too."""

LONGEST_PATH = 1024
"""Highest number of bytes in a path of the code."""

_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much one source may be.

    Attributes:
        total_bytes: of all files together.
        files: how many files, and members of an archive, there may be.
    """

    total_bytes: int
    files: int

    def check_size(self, size: int) -> None:
        """Refuse what is too large for an artifact.

        Raises:
            SourceError: saying what the limit is.
        """
        if size > self.total_bytes:
            raise SourceError(
                f"it has more than {self.total_bytes} bytes, the largest artifact that is allowed (setting "
                "artifactLimitBytes): keep data in Object Storage and only code in the source"
            )

    def check_count(self, count: int) -> None:
        """Refuse too many files.

        Raises:
            SourceError: saying what the limit is.
        """
        if count > self.files:
            raise SourceError(
                f"it has more than {self.files} files and folders, the most that are allowed (setting "
                "sourceFilesLimit): keep data in Object Storage, and name the folder of the code in `path` where the "
                "source has one"
            )


def check_name(name: str) -> None:
    """Refuse a path that the code can't have.

    Raises:
        SourceError: if it leads out of the code, is no text, or is too long.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise SourceError(f"the name {shown(name)} leads out of the code")
    try:
        longest = max((len(part.encode()) for part in path.parts), default=0)
    except UnicodeEncodeError as error:
        raise SourceError(f"the name {shown(name)} is not UTF-8: rename the file") from error
    if longest > LONGEST_NAME:
        raise SourceError(
            f"the name {shown(name)} has {longest} bytes, and {LONGEST_NAME} are allowed: rename the file"
        )
    if len(name.encode()) > LONGEST_PATH:
        raise SourceError(
            f"the path {shown(name)} has {len(name.encode())} bytes, and {LONGEST_PATH} are allowed: shorten it"
        )
    if not name.isprintable():
        raise SourceError(f"the name {shown(name)} has a character that can't be shown: rename it")


def check_tree(names: Iterable[str]) -> None:
    """Refuse files that can't be in one folder.

    Raises:
        SourceError: if one is a file and another's folder.
    """
    files = {str(PurePosixPath(name)) for name in names}
    for name in sorted(files):
        above = next((str(p) for p in PurePosixPath(name).parents if str(p) in files), None)
        if above is not None:
            raise SourceError(f"{shown(above)} is a file, and a folder of {shown(name)} too")


def shown(name: str) -> str:
    """Return a name for a message: its beginning, with characters escaped that can't be shown."""
    escaped = name[:_SHOWN].encode("ascii", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped)
    return text if len(name) <= _SHOWN else f"{text}…"
