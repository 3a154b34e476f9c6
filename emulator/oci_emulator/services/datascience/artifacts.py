"""Job artifacts: uploaded once, never changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import unquote

from oci_emulator.calls import ranges
from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import ServiceError, conflict, invalid, missing, not_found
from oci_emulator.services.datascience.progression import JOB
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.content import TooLarge
from oci_emulator.state.resources import Resource

_FILE_NAME = re.compile(r"""filename\*?\s*=\s*(?:UTF-8'')?("[^"]*"|[^;\s]+)""", re.IGNORECASE)
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An artifact.

    Attributes:
        content: its id in the content store.
        modified: the time of its upload.
    """

    name: str
    content: str
    size: int
    md5: str
    etag: str
    modified: float


def artifact_of(job: Resource) -> Artifact | None:
    """The artifact of a job, if it has one."""
    kept = job.inner.get("artifact")
    return Artifact(**kept) if kept else None


class Artifacts:
    """The artifacts of jobs."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation

    async def upload(self, call: Call) -> Answer:
        """CreateJobArtifact: only once, and with it the job becomes ACTIVE."""
        self._expectant(call)
        name = file_name(call.headers)
        maximum = self._foundation.rules.artifact_maximum_bytes
        too_large = ServiceError(
            413, "RequestEntityTooLarge", f"A job artifact has at most {maximum} bytes."
        )
        if int(call.headers["content-length"]) > maximum:
            raise too_large
        try:
            content = await self._foundation.content.receive(call.stream, maximum)
        except TooLarge:
            raise too_large from None
        try:
            job = self._expectant(call)
        except ServiceError:
            # Another upload of the same artifact was faster, or the job is gone.
            self._foundation.content.remove(content.id)
            raise
        job.inner["artifact"] = {
            "name": name,
            "content": content.id,
            "size": content.size,
            "md5": content.md5,
            "etag": content.id,
            "modified": call.now,
        }
        if job.state == "CREATING":
            job.body["lifecycleState"] = "ACTIVE"
        self._foundation.save(job)
        return Answer(status=204, headers={"etag": content.id}, resource=job.id)

    def _expectant(self, call: Call) -> Resource:
        """The job, if it can take an artifact."""
        job = self._foundation.find(call, JOB, call.path["jobId"])
        if job.state not in {"CREATING", "ACTIVE"}:
            raise conflict("IncorrectState", f"Job {job.id} is {job.state}.")
        if artifact_of(job) is not None:
            raise conflict("Conflict", f"Job {job.id} has its artifact, which can't be replaced.")
        return job

    def content(self, call: Call) -> Answer:
        """GetJobArtifactContent, whole or a range."""
        artifact = self._find(call)
        path = self._foundation.content.path(artifact.content)
        answer = ranges.answer_with(
            path, artifact.size, _headers(artifact), call.headers.get("range")
        )
        answer.resource = call.path["jobId"]
        return answer

    def head(self, call: Call) -> Answer:
        """HeadJobArtifact."""
        artifact = self._find(call)
        path = self._foundation.content.path(artifact.content)
        answer = ranges.answer_with(path, artifact.size, _headers(artifact), None)
        answer.resource = call.path["jobId"]
        return answer

    def _find(self, call: Call) -> Artifact:
        job = self._foundation.find(call, JOB, call.path["jobId"])
        artifact = artifact_of(job)
        if artifact is None:
            raise not_found(f"artifact of {job.id}")
        return artifact


def _headers(artifact: Artifact) -> dict[str, str]:
    return {
        "etag": artifact.etag,
        "content-md5": artifact.md5,
        "content-type": "application/octet-stream",
        "content-disposition": f"attachment; filename={artifact.name}",
        "last-modified": formatdate(artifact.modified, usegmt=True),
    }


def file_name(headers: Mapping[str, str]) -> str:
    """The name that ``content-disposition`` gives an artifact; what it ends with is its type.

    Raises:
        ServiceError: 400, there is none, or it is no plain file name.
    """
    header = headers.get("content-disposition")
    if header is None:
        raise missing("content-disposition: is required, as attachment; filename=NAME")
    match = _FILE_NAME.search(header)
    name = unquote(match[1].strip('"')) if match else ""
    plain = name.isprintable() and not set(name) & set('/\\"') and name not in {".", ".."}
    if not 1 <= len(name) <= _LONGEST_NAME or not plain:
        raise invalid(
            f"content-disposition: {header[:_LONGEST_NAME]!r} names no file, as in"
            " attachment; filename=NAME"
        )
    return name
