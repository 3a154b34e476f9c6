"""Artifacts that wait for their upload, on disk: memory is for what is looked at."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
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
    """A folder of artifacts, named by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, artifact: BuiltArtifact) -> str:
        """Keep an artifact, and return its SHA-256."""
        name = artifact.sha256
        path = self._folder / name
        if not path.exists():
            partial = path.with_suffix(f".{os.getpid()}")
            partial.write_bytes(artifact.content)
            partial.rename(path)
        return name

    def open(self, sha256: str, fence: Callable[[], None]) -> BinaryIO | None:
        """Return an artifact for reading, or None if it is not kept.

        Args:
            sha256: of the artifact.
            fence: called before each read; it raises if this process may not write to OCI any more.
        """
        try:
            return _FencedReader(io.FileIO(self._folder / sha256), fence)
        except FileNotFoundError:
            return None

    def discard(self, sha256: str) -> None:
        """Forget an artifact that was uploaded."""
        (self._folder / sha256).unlink(missing_ok=True)
