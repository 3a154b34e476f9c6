"""Artifacts that wait on disk, and how their upload ends with the right to it."""

import hashlib
import os
from pathlib import Path

import pytest

from ocijobs.artifact.build import BuiltArtifact
from ocijobs.artifact.staging import Staging

ARTIFACT = BuiltArtifact(name="train.zip", content=b"0123456789" * 1000)


class LostError(Exception):
    """This process leads no more."""


def allow() -> None:
    """Let every read through."""


def test_what_was_put_is_read_back_until_it_is_discarded(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staged" / "here")
    name = staging.put(ARTIFACT)
    assert name == hashlib.sha256(ARTIFACT.content).hexdigest()
    for _ in range(2):
        opened = staging.open(name, allow)
        assert opened is not None
        with opened:
            assert opened.read() == ARTIFACT.content
    staging.discard(name)
    staging.discard(name)
    assert staging.open(name, allow) is None
    assert list((tmp_path / "staged" / "here").iterdir()) == []


def test_putting_it_twice_writes_it_once(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    name = staging.put(ARTIFACT)
    before = (tmp_path / name).stat()
    assert staging.put(ARTIFACT) == name
    after = (tmp_path / name).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_what_a_full_disk_cut_off_is_never_taken_for_the_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = Staging(tmp_path)

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space"):
            staging.put(ARTIFACT)
    assert staging.open(ARTIFACT.sha256, allow) is None
    assert staging.put(ARTIFACT) == ARTIFACT.sha256


def test_an_upload_ends_at_the_first_read_after_the_lease_is_lost(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    reads = 0

    def fence() -> None:
        nonlocal reads
        reads += 1
        if reads > 2:
            raise LostError

    opened = staging.open(staging.put(ARTIFACT), fence)
    assert opened is not None
    with opened:
        assert opened.read(10) + opened.read(10) == ARTIFACT.content[:20]
        with pytest.raises(LostError):
            opened.read(10)


def test_its_size_is_known_before_it_is_read_so_that_it_is_no_chunked_upload(
    tmp_path: Path,
) -> None:
    staging = Staging(tmp_path)
    opened = staging.open(staging.put(ARTIFACT), allow)
    assert opened is not None
    with opened:
        assert os.fstat(opened.fileno()).st_size == len(ARTIFACT.content)
