"""The files of a source: a path of the code -> its content, in memory if it is small, else a file on disk."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO

Content = bytes | Path
Files = Mapping[str, Content]

_CHUNK = 1 << 20


class SourceError(ValueError):
    """The runtime can't run the source; the message names the field and what to do."""


class SourceMissingError(Exception):
    """What the source names does not exist, or may not be read; the message says what."""


class SourceUnreachableError(Exception):
    """The source can't be read now, and may be later; the message says why."""


class LimitReachedError(Exception):
    """Reading the source needs more than one reading may use; the message says of what, and what to do."""


def size_of(content: Content) -> int:
    """Return the length in bytes."""
    return content.stat().st_size if isinstance(content, Path) else len(content)


def opened(content: Content) -> BinaryIO:
    """Return the content for reading."""
    return content.open("rb") if isinstance(content, Path) else BytesIO(content)


def copy(content: Content, target: IO[bytes]) -> None:
    """Write the content."""
    with opened(content) as source:
        shutil.copyfileobj(source, target, _CHUNK)


def sources_digest(files: Files) -> str:
    """Return the digest of the source: of the files' names and contents, in hexadecimal."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        total.update(f"{len(name)}:{name}:{size_of(content)}:".encode())
        with opened(content) as source:
            while chunk := source.read(_CHUNK):
                total.update(chunk)
    return total.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
