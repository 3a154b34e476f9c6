"""Artifacts that wait on disk: how much room there is for them, and how their upload ends with the right to it."""

import errno
import hashlib
import os
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from ocijobs.controller.staging import Arrival, Owner, Quota, Staging
from ocijobs.fetcher.protocol import RefusalKind, SourceRefusedError

CONTENT = b"0123456789" * 1000
OWNER = Owner(namespace="team", uid="2f0a7b2e-uid")
UID = OWNER.uid
QUOTA = Quota(total_bytes=30_000, namespace_bytes=20_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(staging: Staging, content: bytes = CONTENT, owner: Owner = OWNER) -> str:
    """Have an artifact arrive, and return its SHA-256."""
    with staging.receive(owner, sha256(content), len(content)) as arrival:
        for start in range(0, len(content), 4096):
            arrival.write(content[start : start + 4096])
    return sha256(content)


class LostError(Exception):
    """This process leads no more."""


def allow() -> None:
    """Let every read through."""


def kept(staging: Staging, sha256: str) -> bool:
    """Whether the artifact is there."""
    opened = staging.open(UID, sha256, allow)
    if opened is not None:
        opened.close()
    return opened is not None


def test_what_was_put_is_read_back_until_it_is_discarded(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staged" / "here", QUOTA)
    sha256 = put(staging)
    for _ in range(2):
        opened = staging.open(UID, sha256, allow)
        assert opened is not None
        with opened:
            assert opened.read() == CONTENT
    staging.discard(UID, "another")
    assert kept(staging, sha256)
    staging.discard(UID, sha256)
    staging.discard(UID)
    assert staging.open(UID, sha256, allow) is None
    assert list((tmp_path / "staged" / "here").iterdir()) == []


def test_an_owner_has_its_newest_artifact_alone(tmp_path: Path) -> None:
    staging = Staging(tmp_path, QUOTA)
    former, newer = put(staging), put(staging, b"newer")
    assert staging.open(UID, former, allow) is None
    assert kept(staging, newer)
    assert len(list(tmp_path.iterdir())) == 1


def test_an_upload_goes_on_though_a_newer_artifact_takes_the_place(tmp_path: Path) -> None:
    staging = Staging(tmp_path, QUOTA)
    opened = staging.open(UID, put(staging), allow)
    assert opened is not None
    with opened:
        put(staging, b"newer")
        assert opened.read() == CONTENT


def test_what_a_process_before_left_is_never_taken_for_an_artifact(tmp_path: Path) -> None:
    sha256 = put(Staging(tmp_path, QUOTA))
    assert Staging(tmp_path, QUOTA).open(UID, sha256, allow) is None


def test_an_upload_ends_at_the_first_read_after_the_lease_is_lost(tmp_path: Path) -> None:
    staging = Staging(tmp_path, QUOTA)
    reads = 0

    def fence() -> None:
        nonlocal reads
        reads += 1
        if reads > 2:
            raise LostError

    opened = staging.open(UID, put(staging), fence)
    assert opened is not None
    with opened:
        assert opened.read(10) + opened.read(10) == CONTENT[:20]
        with pytest.raises(LostError):
            opened.read(10)


def test_its_size_is_known_before_it_is_read_so_that_it_is_no_chunked_upload(
    tmp_path: Path,
) -> None:
    staging = Staging(tmp_path, QUOTA)
    opened = staging.open(UID, put(staging), allow)
    assert opened is not None
    with opened:
        assert os.fstat(opened.fileno()).st_size == len(CONTENT)


# Room.


def refusal(staging: Staging, size: int, owner: Owner) -> tuple[RefusalKind, str]:
    with pytest.raises(SourceRefusedError) as caught, staging.receive(owner, "0" * 64, size):
        pass
    return caught.value.refusal.kind, caught.value.refusal.message


def owner(number: int, namespace: str) -> Owner:
    return Owner(namespace=namespace, uid=f"uid-{number}")


def test_a_namespace_can_not_take_the_room_of_others(tmp_path: Path) -> None:
    staging = Staging(tmp_path, QUOTA)
    for number in range(2):
        put(staging, owner=owner(number, "greedy"))
    kind, words = refusal(staging, 1, owner(2, "greedy"))
    assert kind is RefusalKind.FULL
    assert words == (
        "20000 bytes of artifacts of namespace greedy wait for their upload, and with this one's 1 they would be more "
        "than 20000 (setting stagingNamespaceLimitBytes)"
    )
    put(staging, owner=owner(3, "modest"))
    kind, words = refusal(staging, 1, owner(4, "third"))
    assert kind is RefusalKind.FULL
    assert "30000 (setting stagingLimitBytes)" in words
    # What is uploaded gives its room back.
    staging.discard("uid-0")
    put(staging, owner=owner(4, "third"))
    assert staging.used_bytes == 30_000


def test_what_is_on_its_way_has_its_room(tmp_path: Path) -> None:
    staging = Staging(tmp_path, QUOTA)
    with ExitStack() as stack:
        stack.enter_context(staging.receive(OWNER, sha256(CONTENT), 20_000))
        assert refusal(staging, 1, owner(1, "team"))[0] is RefusalKind.FULL
        # It ends without a byte.
        with pytest.raises(SourceRefusedError):
            stack.close()
    # One that comes to nothing leaves nothing.
    assert (staging.used_bytes, list(tmp_path.iterdir())) == (0, [])
    put(staging)


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"x", CONTENT + b"x"])
def test_what_is_not_what_was_told_is_not_kept(tmp_path: Path, content: bytes) -> None:
    staging = Staging(tmp_path, QUOTA)
    with (
        pytest.raises(
            SourceRefusedError,
            match="the artifact from the fetcher is not the one that was announced",
        ),
        staging.receive(OWNER, sha256(CONTENT), len(CONTENT)) as arrival,
    ):
        arrival.write(content)
    assert (staging.used_bytes, list(tmp_path.iterdir())) == (0, [])


class FullDisk:
    """A file on a disk that is full."""

    def write(self, _: bytes) -> int:
        """Fail as the system does."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_in_words() -> None:
    with pytest.raises(SourceRefusedError) as caught:
        Arrival(cast("BinaryIO", FullDisk()), 1).write(b"x")
    assert caught.value.refusal.kind is RefusalKind.FULL
    assert caught.value.refusal.message == "the operator's disk is full"
