"""Artifacts that wait for their upload, on disk and not in memory.

The folder belongs to this process, and is empty at its start. The size of all artifacts and that of each namespace is
limited; an artifact counts from its first byte.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ocijobs.fetcher.protocol import RefusalKind, SourceRefusedError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class _FencedReader(io.BufferedReader):
    """A file that can only be read while this process may upload it: an upload may take longer than a lease."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Owner of an artifact: the object, and the namespace with which it shares the room."""

    namespace: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many bytes artifacts may use: all together, and those of one namespace."""

    total_bytes: int
    namespace_bytes: int


class Arrival:
    """An artifact that is arriving."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._most, self._hash = file, most, hashlib.sha256()
        self.size = 0
        """How many bytes have arrived."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            SourceRefusedError: if the disk is full, or there are more than announced.
        """
        if self.size + len(chunk) > self._most:
            raise _not_whole()
        try:
            self._file.write(chunk)
            self._file.flush()
        except OSError as error:
            if error.errno in _FULL:
                raise _disk_full() from error
            raise
        self._hash.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes that have arrived."""
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Staged:
    namespace: str
    sha256: str
    size: int


class Staging:
    """A folder of artifacts, with the newest one of each owner."""

    def __init__(self, folder: Path, quota: Quota) -> None:
        self._folder, self._quota = folder, quota
        self._staged: dict[str, _Staged] = {}
        self._coming: list[_Staged] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def used_bytes(self) -> int:
        """Bytes of all artifacts, arriving ones included."""
        return sum(each.size for each in (*self._staged.values(), *self._coming))

    @contextmanager
    def receive(self, owner: Owner, sha256: str, size: int) -> Iterator[Arrival]:
        """Make room for an artifact and receive it. If it is complete, it replaces the owner's former one.

        Raises:
            SourceRefusedError: if there is no room for it, or its size or checksum is not the announced one.
        """
        self._check(owner.namespace, size)
        coming = _Staged(namespace=owner.namespace, sha256=sha256, size=size)
        self._coming.append(coming)
        try:
            file, path = self._file()
            with file:
                arrival = Arrival(file, size)
                try:
                    yield arrival
                except BaseException:
                    path.unlink()
                    raise
            if (arrival.size, arrival.sha256) != (size, sha256):
                path.unlink()
                raise _not_whole()
            path.replace(self._folder / owner.uid)
            self._staged[owner.uid] = coming
        finally:
            self._coming.remove(coming)

    def _file(self) -> tuple[BinaryIO, Path]:
        try:
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix="coming-")
        except OSError as error:
            if error.errno in _FULL:
                raise _disk_full() from error
            raise
        return os.fdopen(descriptor, "wb"), Path(name)

    def _check(self, namespace: str, size: int) -> None:
        """Refuse an artifact for which there is no room."""
        everything = (*self._staged.values(), *self._coming)
        own = sum(each.size for each in everything if each.namespace == namespace)
        if own + size > self._quota.namespace_bytes:
            raise SourceRefusedError(
                RefusalKind.FULL,
                f"{own} bytes of artifacts of namespace {namespace} wait for their upload, and with this one's {size} "
                f"they would be more than {self._quota.namespace_bytes} (setting stagingNamespaceLimitBytes)",
            )
        if self.used_bytes + size > self._quota.total_bytes:
            raise SourceRefusedError(
                RefusalKind.FULL,
                f"{self.used_bytes} bytes of artifacts wait for their upload, and with this one's {size} they would be "
                f"more than {self._quota.total_bytes} (setting stagingLimitBytes)",
            )

    def open(self, uid: str, sha256: str, fence: Callable[[], None]) -> BinaryIO | None:
        """Return an owner's artifact for reading, or None if it is not kept.

        Args:
            uid: of the owner.
            sha256: of the artifact.
            fence: called before each read; it raises if this process may not write to OCI any more.
        """
        staged = self._staged.get(uid)
        if staged is None or staged.sha256 != sha256:
            return None
        return _FencedReader(io.FileIO(self._folder / uid), fence)

    def discard(self, uid: str, sha256: str | None = None) -> None:
        """Delete an owner's artifact; with a SHA-256, only that one."""
        staged = self._staged.get(uid)
        if staged is not None and sha256 in {None, staged.sha256}:
            del self._staged[uid]
            (self._folder / uid).unlink(missing_ok=True)


def _not_whole() -> SourceRefusedError:
    message = "the artifact from the fetcher is not the one that was announced"
    return SourceRefusedError(RefusalKind.UNREACHABLE, message)


def _disk_full() -> SourceRefusedError:
    return SourceRefusedError(RefusalKind.FULL, "the operator's disk is full")
