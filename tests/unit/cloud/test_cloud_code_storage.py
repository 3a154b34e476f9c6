"""Code as it is sent to Object Storage: piece by piece, with its checksum, and only where nothing is."""

import asyncio
import base64
import hashlib
import io
import zipfile
from typing import BinaryIO

import pytest
from tests.unit.cloud.scripted_oci import PRINCIPAL, Answer, Caller, ScriptedOci, error

from ocijobs.api.job.status import Artifact
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.code_storage import CodeStorage

CONTENT = b"x" * 3_000_000
THERE = error(412, "IfNoneMatchFailed")


class CountingFile(io.BytesIO):
    """A file that knows how much is read of it at once at the most."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.most = max(self.most, len(content))
        return content


def archive(content: bytes = CONTENT) -> CountingFile:
    file = CountingFile()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as target:
        target.writestr("modules.zip", content)
    return file


def upload(caller: Caller, content: BinaryIO) -> Refusal | None:
    artifact = Artifact(name="count.zip", sha256="5e", size=1, uri="oci://code@team/jobs/v1/")
    return asyncio.run(CodeStorage(caller.calls).upload(PRINCIPAL, artifact, content))


def test_an_object_is_sent_in_pieces_with_its_checksum_and_only_where_nothing_is(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(Answer())
    content = archive()
    assert upload(caller, content) is None
    (sent,) = oci_server.received
    assert (sent.method, sent.path) == ("PUT", "/n/team/b/code/o/jobs%2Fv1%2Fmodules.zip")
    assert sent.body == CONTENT
    digest = hashlib.md5(CONTENT, usedforsecurity=False).digest()
    assert sent.headers["content-md5"] == base64.b64encode(digest).decode()
    assert sent.headers["if-none-match"] == "*"
    assert sent.headers["content-length"] == str(len(CONTENT))
    assert content.most <= 1 << 20


@pytest.mark.parametrize(("size", "same"), [(len(CONTENT), True), (7, False)])
def test_an_object_without_a_checksum_is_told_by_its_size(
    caller: Caller, oci_server: ScriptedOci, size: int, same: object
) -> None:
    head = Answer(headers={"content-length": str(size), "transfer-encoding": "none"})
    oci_server.will(THERE, head)
    refusal = upload(caller, archive())
    assert (refusal is None) is same
    if refusal is not None:
        assert refusal.kind is RefusalKind.CONFLICT
        assert "oci://code@team/jobs/v1/modules.zip" in refusal.message


def test_what_can_not_be_compared_is_not_taken_for_ours(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(THERE, *[error(500, "InternalError")] * 3)
    refusal = upload(caller, archive())
    assert refusal is not None
    assert refusal.kind is RefusalKind.UNAVAILABLE
    assert [received.method for received in oci_server.received] == ["PUT", *["HEAD"] * 3]
