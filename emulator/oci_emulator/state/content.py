"""Content on disk: job artifacts and the bytes of objects, in files named by the emulator.

No name that a client gives ever becomes a part of a path.
"""

import asyncio
import base64
import hashlib
import shutil
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from oci_emulator.state.database import Database

_GATHERED = 1 << 20
"""Bytes that are gathered before a thread hashes and writes them."""


class TooLarge(Exception):  # noqa: N818  # the caller says which limit of which service it is
    """The content is longer than allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Content that was received whole.

    Attributes:
        md5: in base64, as headers have it.
        sha256: likewise.
    """

    id: str
    size: int
    md5: str
    sha256: str


class ContentStore:
    """A directory of content files.

    Args:
        directory: made if it doesn't exist; what an earlier process left half received is removed.
        database: content is removed only once it says that nothing refers to it.
    """

    def __init__(self, directory: Path, database: Database) -> None:
        self._directory = directory
        self._database = database
        self._incoming = directory / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True)

    def path(self, identifier: str) -> Path:
        """Where the content is."""
        return self._directory / identifier[:2] / identifier

    async def receive(self, stream: AsyncIterator[bytes], maximum: int) -> Content:
        """Write a stream to disk.

        Raises:
            TooLarge: it has more bytes than the maximum; nothing is kept.
        """
        identifier = uuid.uuid4().hex
        temporary = self._incoming / identifier
        try:
            with temporary.open("wb") as file:
                sink = _Sink(file, maximum)
                await sink.take(stream)
            return self._keep(temporary, identifier, sink)
        finally:
            temporary.unlink(missing_ok=True)

    async def join(self, identifiers: Iterable[str]) -> Content:
        """New content that consists of others, one after the other."""
        identifier = uuid.uuid4().hex
        temporary = self._incoming / identifier
        paths = [self.path(part) for part in identifiers]

        def copy() -> _Sink:
            with temporary.open("wb") as file:
                sink = _Sink(file, maximum=1 << 62)
                for path in paths:
                    with path.open("rb") as part:
                        while chunk := part.read(_GATHERED):
                            sink.write(chunk)
            return sink

        try:
            sink = await asyncio.to_thread(copy)
            return self._keep(temporary, identifier, sink)
        finally:
            temporary.unlink(missing_ok=True)

    def _keep(self, temporary: Path, identifier: str, sink: "_Sink") -> Content:
        final = self.path(identifier)
        final.parent.mkdir(exist_ok=True)
        temporary.rename(final)
        return Content(
            id=identifier,
            size=sink.size,
            md5=base64.b64encode(sink.md5.digest()).decode(),
            sha256=base64.b64encode(sink.sha256.digest()).decode(),
        )

    def remove(self, identifier: str) -> None:
        """Remove content that nothing refers to any more, when that is permanent."""
        path = self.path(identifier)
        self._database.after_commit(lambda: path.unlink(missing_ok=True))

    def sweep(self, wanted: frozenset[str]) -> None:
        """Remove what nothing refers to: a kill may have come between a file and its record."""
        for path in self._directory.glob("??/*"):
            if path.name not in wanted:
                path.unlink()


class _Sink:
    """Hashes and writes; large pieces in a thread, as both would hold up other requests."""

    def __init__(self, file: BinaryIO, maximum: int) -> None:
        self._file = file
        self._maximum = maximum
        self.size = 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.sha256 = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.md5.update(chunk)
        self.sha256.update(chunk)
        self._file.write(chunk)

    async def take(self, stream: AsyncIterator[bytes]) -> None:
        gathered = bytearray()
        async for chunk in stream:
            gathered += chunk
            if self.size + len(gathered) > self._maximum:
                raise TooLarge
            if len(gathered) >= _GATHERED:
                await asyncio.to_thread(self.write, bytes(gathered))
                gathered.clear()
        self.write(bytes(gathered))
