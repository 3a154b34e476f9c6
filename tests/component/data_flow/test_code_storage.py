"""Code of Spark jobs in a bucket: put once, never overwritten, and deleted with its job."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import oci
import pytest
from tests.component.data_flow.conftest import BUCKET, Flow
from tests.unit.cloud.scripted_oci import PRINCIPAL, NotLeadingError

from ocijobs.api.job.status import Artifact
from ocijobs.backends.records import RefusalKind
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.controller.staging import Owner, Quota, Staging
from ocijobs.testing import make_ocid

pytestmark = pytest.mark.asyncio

FILES = {"main.py": b"print(1)", "modules.zip": b"x" * 3_000_000, "empty.jar": b""}


@pytest.fixture
def folder() -> str:
    """A folder that no other test has."""
    return f"jobs/{uuid4().hex}"


def archive(files: Mapping[str, bytes]) -> BinaryIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    content.seek(0)
    return content


def artifact(uri: str | None) -> Artifact:
    return Artifact(name="count.zip", sha256="5e", size=1, uri=uri)


def stored(flow: Flow, folder: str) -> dict[str, bytes]:
    """Return what is in a folder: path -> content."""
    namespace = flow.emulator.namespace
    listed = flow.storage.list_objects(namespace, BUCKET, prefix=f"{folder}/").data.objects
    return {
        item.name.removeprefix(f"{folder}/"): flow.storage.get_object(
            namespace, BUCKET, item.name
        ).data.content
        for item in listed
    }


def put(flow: Flow, name: str, content: bytes) -> None:
    flow.storage.put_object(flow.emulator.namespace, BUCKET, name, content)


@pytest.mark.parametrize("end", ["", "/"])
async def test_the_members_of_the_archive_are_the_objects(
    flow: Flow, folder: str, end: str
) -> None:
    job = make_ocid("dataflowapplication")
    place = artifact(flow.uri(folder) + end)
    refusal, calls = await flow.calls(
        flow.infrastructure.upload_artifact(PRINCIPAL, job, place, archive(FILES))
    )
    assert (refusal, calls) == (None, ["PutObject 200"] * 3)
    assert stored(flow, folder) == FILES


async def test_what_is_there_already_with_the_same_content_is_fine(flow: Flow, folder: str) -> None:
    put(flow, f"{folder}/modules.zip", FILES["modules.zip"])
    put(flow, f"{folder}/empty.jar", b"")
    refusal, calls = await flow.calls(
        CodeStorage(flow.caller.calls).upload(PRINCIPAL, artifact(flow.uri(folder)), archive(FILES))
    )
    assert refusal is None
    assert calls == [
        "PutObject 200",
        *["PutObject 412", "HeadObject 200"] * 2,
    ]
    assert stored(flow, folder) == FILES


async def test_what_somebody_else_wrote_is_not_overwritten(flow: Flow, folder: str) -> None:
    others = b"x" * 2_999_999 + b"y"
    put(flow, f"{folder}/modules.zip", others)
    refusal = await CodeStorage(flow.caller.calls).upload(
        PRINCIPAL, artifact(flow.uri(folder)), archive(FILES)
    )
    assert refusal is not None
    assert refusal.kind is RefusalKind.CONFLICT
    assert flow.uri(f"{folder}/modules.zip") in refusal.message
    assert "artifactBucketUri" in refusal.message
    assert stored(flow, folder)["modules.zip"] == others


async def test_an_object_that_was_uploaded_in_parts_is_somebody_elses(
    flow: Flow, folder: str
) -> None:
    name, namespace, content = f"{folder}/main.py", flow.emulator.namespace, FILES["main.py"]
    models = oci.object_storage.models
    details = models.CreateMultipartUploadDetails(object=name)
    upload = flow.storage.create_multipart_upload(namespace, BUCKET, details).data.upload_id
    part = flow.storage.upload_part(namespace, BUCKET, name, upload, 1, content)
    parts = [models.CommitMultipartUploadPartDetails(part_num=1, etag=part.headers["etag"])]
    commit = models.CommitMultipartUploadDetails(parts_to_commit=parts)
    flow.storage.commit_multipart_upload(namespace, BUCKET, name, upload, commit)
    refusal = await CodeStorage(flow.caller.calls).upload(
        PRINCIPAL, artifact(flow.uri(folder)), archive({"main.py": content})
    )
    assert refusal is not None
    assert refusal.kind is RefusalKind.CONFLICT


async def test_a_conflict_without_an_object_is_told_as_it_is(flow: Flow, folder: str) -> None:
    flow.emulator.add_fault("PutObject", status=409, code="ConcurrentObjectUpdate", count=1)
    storage = CodeStorage(flow.caller.calls)
    place = artifact(flow.uri(folder))
    refusal = await storage.upload(PRINCIPAL, place, archive(FILES))
    assert refusal is not None
    assert refusal.message.startswith("ConcurrentObjectUpdate")
    assert await storage.upload(PRINCIPAL, place, archive(FILES)) is None


async def test_a_bucket_that_is_not_there_is_told(flow: Flow) -> None:
    place = artifact(f"oci://nowhere@{flow.emulator.namespace}/x")
    refusal = await CodeStorage(flow.caller.calls).upload(PRINCIPAL, place, archive(FILES))
    assert refusal is not None
    assert refusal.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND


@pytest.mark.parametrize("reads", [0, 4, 20])
async def test_an_upload_ends_with_the_lease_even_while_it_is_sent(
    flow: Flow, folder: str, tmp_path: Path, reads: int
) -> None:
    fence = fence_after(reads)
    content = staged(tmp_path, {"modules.zip": FILES["modules.zip"]}, fence)
    with content, pytest.raises(NotLeadingError):
        await CodeStorage(flow.caller.calls).upload(PRINCIPAL, artifact(flow.uri(folder)), content)
    assert stored(flow, folder) == {}


def fence_after(reads: int) -> Callable[[], None]:
    """Return a fence that lets through so many reads."""
    left = reads

    def fence() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise NotLeadingError

    return fence


def staged(folder: Path, files: Mapping[str, bytes], fence: Callable[[], None]) -> BinaryIO:
    built = archive(files).read()
    staging = Staging(folder, Quota(total_bytes=len(built), namespace_bytes=len(built)))
    sha256 = hashlib.sha256(built).hexdigest()
    with staging.receive(Owner(namespace="team", uid="owner"), sha256, len(built)) as arrival:
        arrival.write(built)
    content = staging.open("owner", sha256, fence)
    assert content is not None
    return content


async def test_a_folder_is_deleted_with_all_that_is_in_it_and_nothing_else(
    flow: Flow, folder: str
) -> None:
    storage = CodeStorage(flow.caller.calls)
    assert await storage.upload(PRINCIPAL, artifact(flow.uri(folder)), archive(FILES)) is None
    put(flow, f"{folder}-2/main.py", b"another")
    refusal, calls = await flow.calls(storage.delete(PRINCIPAL, flow.uri(folder)))
    assert (refusal, calls) == (None, ["ListObjects 200", *["DeleteObject 204"] * 3])
    assert stored(flow, folder) == {}
    assert stored(flow, f"{folder}-2") == {"main.py": b"another"}
    again, calls = await flow.calls(storage.delete(PRINCIPAL, f"{flow.uri(folder)}/"))
    assert (again, calls) == (None, ["ListObjects 200"])


async def test_what_is_gone_already_is_deleted(flow: Flow, folder: str) -> None:
    storage = CodeStorage(flow.caller.calls)
    put(flow, f"{folder}/main.py", b"x")
    flow.emulator.add_fault("DeleteObject", status=404, code="ObjectNotFound", count=1)
    assert await storage.delete(PRINCIPAL, flow.uri(folder)) is None
    nowhere = f"oci://nowhere@{flow.emulator.namespace}/x"
    assert await storage.delete(PRINCIPAL, nowhere) is None


async def test_a_refused_deletion_is_told(flow: Flow, folder: str) -> None:
    put(flow, f"{folder}/main.py", b"x")
    flow.emulator.add_fault("DeleteObject", status=409, code="Conflict", count=1)
    refusal = await CodeStorage(flow.caller.calls).delete(PRINCIPAL, flow.uri(folder))
    assert refusal is not None
    assert refusal.kind is RefusalKind.CONFLICT


async def test_a_whole_bucket_is_never_deleted(flow: Flow) -> None:
    for uri in (flow.uri(""), f"oci://{BUCKET}@{flow.emulator.namespace}"):
        with pytest.raises(ValueError, match="whole bucket"):
            await CodeStorage(flow.caller.calls).delete(PRINCIPAL, uri)


async def test_an_artifact_of_data_science_has_no_folder(flow: Flow) -> None:
    upload: Any = CodeStorage(flow.caller.calls).upload(PRINCIPAL, artifact(None), archive({}))
    with pytest.raises(ValueError, match="folder"):
        await upload
