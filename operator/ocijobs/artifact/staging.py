"""Artifacts that wait for their upload, on disk: memory is for what is looked at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from ocijobs.artifact.build import BuiltArtifact


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

    def open(self, sha256: str) -> BinaryIO | None:
        """Return an artifact for reading, or None if it is not kept."""
        try:
            return (self._folder / sha256).open("rb")
        except FileNotFoundError:
            return None

    def discard(self, sha256: str) -> None:
        """Forget an artifact that was uploaded."""
        (self._folder / sha256).unlink(missing_ok=True)
