"""Artifacts that wait for their upload, on disk: memory is for what is looked at.

The folder is this process's own, and empty when it starts.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ocijobs.artifact.build import BuiltArtifact


class _FencedReader(io.BufferedReader):
    """A file whose reading ends with the right to upload it: an upload may take longer than a lease lasts."""

    def __init__(self, raw: io.FileIO, fence: Callable[[], None]) -> None:
        super().__init__(raw)
        self._fence = fence

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes.

        Raises:
            Exception: whatever the fence raises.
        """
        self._fence()
        return super().read(size)


class Staging:
    """A folder of artifacts, the newest one of each owner."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give a folder to fetch and build in; it is gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="work-") as folder:
            yield Path(folder)

    def put(self, owner: str, artifact: BuiltArtifact) -> None:
        """Keep an artifact instead of the owner's former one: its file moves here."""
        artifact.path.replace(self._folder / owner)
        self._held[owner] = artifact.sha256

    def open(self, owner: str, sha256: str, fence: Callable[[], None]) -> BinaryIO | None:
        """Return an owner's artifact for reading, or None if it is not kept.

        Args:
            owner: whose artifact.
            sha256: of the artifact.
            fence: called before each read; it raises if this process may not write to OCI any more.
        """
        if self._held.get(owner) != sha256:
            return None
        return _FencedReader(io.FileIO(self._folder / owner), fence)

    def discard(self, owner: str, sha256: str | None = None) -> None:
        """Forget an owner's artifact; with a SHA-256, only that one."""
        if owner in self._held and sha256 in {None, self._held[owner]}:
            del self._held[owner]
            (self._folder / owner).unlink(missing_ok=True)
