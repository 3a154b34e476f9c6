"""Artifacts that wait on disk, and how their upload ends with the right to it."""

import hashlib
import os
from pathlib import Path

import pytest

from ocijobs.artifact.build import BuiltArtifact
from ocijobs.artifact.staging import Staging

CONTENT = b"0123456789" * 1000
OWNER = "2f0a7b2e-uid"


def artifact(staging: Staging, content: bytes = CONTENT) -> BuiltArtifact:
    """Build an artifact where artifacts are built."""
    with staging.workspace() as folder:
        path = folder / "built"
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        built = BuiltArtifact(name="train.zip", path=path, sha256=sha256, size=len(content))
        staging.put(OWNER, built)
    return built


class LostError(Exception):
    """This process leads no more."""


def allow() -> None:
    """Let every read through."""


def kept(staging: Staging, sha256: str) -> bool:
    """Whether the artifact is there."""
    opened = staging.open(OWNER, sha256, allow)
    if opened is not None:
        opened.close()
    return opened is not None


def test_what_was_put_is_read_back_until_it_is_discarded(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staged" / "here")
    sha256 = artifact(staging).sha256
    for _ in range(2):
        opened = staging.open(OWNER, sha256, allow)
        assert opened is not None
        with opened:
            assert opened.read() == CONTENT
    staging.discard(OWNER, "another")
    assert kept(staging, sha256)
    staging.discard(OWNER, sha256)
    staging.discard(OWNER)
    assert staging.open(OWNER, sha256, allow) is None
    assert list((tmp_path / "staged" / "here").iterdir()) == []


def test_an_owner_has_its_newest_artifact_alone(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    former, newer = artifact(staging), artifact(staging, b"newer")
    assert staging.open(OWNER, former.sha256, allow) is None
    assert kept(staging, newer.sha256)
    assert len(list(tmp_path.iterdir())) == 1


def test_an_upload_goes_on_though_a_newer_artifact_takes_the_place(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    opened = staging.open(OWNER, artifact(staging).sha256, allow)
    assert opened is not None
    with opened:
        artifact(staging, b"newer")
        assert opened.read() == CONTENT


def test_what_a_process_before_left_is_never_taken_for_an_artifact(tmp_path: Path) -> None:
    sha256 = artifact(Staging(tmp_path)).sha256
    assert Staging(tmp_path).open(OWNER, sha256, allow) is None


def test_an_upload_ends_at_the_first_read_after_the_lease_is_lost(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    reads = 0

    def fence() -> None:
        nonlocal reads
        reads += 1
        if reads > 2:
            raise LostError

    opened = staging.open(OWNER, artifact(staging).sha256, fence)
    assert opened is not None
    with opened:
        assert opened.read(10) + opened.read(10) == CONTENT[:20]
        with pytest.raises(LostError):
            opened.read(10)


def test_its_size_is_known_before_it_is_read_so_that_it_is_no_chunked_upload(
    tmp_path: Path,
) -> None:
    staging = Staging(tmp_path)
    opened = staging.open(OWNER, artifact(staging).sha256, allow)
    assert opened is not None
    with opened:
        assert os.fstat(opened.fileno()).st_size == len(CONTENT)
