"""The protocol between operator and fetcher: requests and answers.

One request, `POST /v1/fetch`: the body is a `FetchRequest` in JSON. The body of the answer is a `FetchAnswer` in JSON
on one line and, if there is an artifact, its bytes after that. An answer other than 200 means that the request
was not accepted: 401 without the right token, 400 for a request that can't be read, 413 for one that is too long, 503
while the fetcher ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ocijobs.api.job.machines.data_flow import SparkLanguage
from ocijobs.api.job.runtime import Runtime
from ocijobs.api.job.spec import Outputs

PATH = "/v1/fetch"
HEALTH_PATH = "/healthz"
CONTENT_TYPE = "application/vnd.ocijobs.fetched"

MOST_REQUEST_BYTES = 16 << 20
"""Bytes; more than a source in the cluster has, or the addresses of as many objects as there may be files."""

MOST_ANSWER_BYTES = 1 << 20
"""Bytes; more than an answer has without the artifact."""


class _Message(BaseModel):
    # What another version sends besides is ignored: the two programs are not replaced at the same moment.
    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64"
    )


class Limits(_Message):
    """What one request may take.

    Attributes:
        seconds: from beginning to end.
        cpu_seconds: of each process.
        memory_bytes: of address space of each process.
        artifact_bytes: of all files together, of each file, and of the artifact.
        files: files, and members of an archive.
        denied_networks: networks that nothing is fetched from.
    """

    seconds: Annotated[float, Field(gt=0)]
    cpu_seconds: Annotated[int, Field(ge=1)]
    memory_bytes: Annotated[int, Field(ge=1)]
    artifact_bytes: Annotated[int, Field(ge=1)]
    files: Annotated[int, Field(ge=1)]
    denied_networks: tuple[str, ...] = ()


class GivenFiles(_Message):
    """Files that come with the request: path -> content."""

    kind: Literal["files"] = "files"
    files: Mapping[str, bytes]


class WebFile(_Message):
    """A file or an archive from the web.

    Attributes:
        url: where it is.
        name: what it is called, by which an archive is known.
        sha256: what it must have, in hexadecimal.
        moves_on: whether another SHA-256 means that there is a newer file meanwhile, and not a wrong one.
        headers: of the request, such as authorisation; not for other hosts.
        path: folder in it that is the code.
    """

    kind: Literal["web"] = "web"
    url: str
    name: str
    sha256: str
    moves_on: bool = False
    headers: Mapping[str, str] = Field(default={}, repr=False)
    path: str | None = None


class GitCommit(_Message):
    """A commit of a Git repository. Without a commit, the fetcher only answers which commit the reference names."""

    kind: Literal["git"] = "git"
    url: str
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    path: str | None = None
    username: str = Field(default="", repr=False)
    password: str = Field(default="", repr=False)
    identity: bytes = Field(default=b"", repr=False)
    known_hosts: bytes = Field(default=b"", repr=False)


class SignedObject(_Message):
    """An object of Object Storage, and the signed request that reads it and no other object.

    Attributes:
        name: path of the file that it becomes.
        url: to be sent as it is.
        headers: with the signature, which lasts five minutes.
    """

    name: str
    url: str
    headers: Mapping[str, str] = Field(repr=False)


class StoredObjects(_Message):
    """Objects of Object Storage.

    Attributes:
        objects: which ones.
        unpack: whether it is one object, which is unpacked if it is an archive.
        trust: PEM file of authorities that the endpoint is trusted by; the machine's own if None.
    """

    kind: Literal["objects"] = "objects"
    objects: tuple[SignedObject, ...]
    unpack: bool
    trust: str | None = None


Origin = Annotated[GivenFiles | WebFile | GitCommit | StoredObjects, Field(discriminator="kind")]
"""Where the files come from, with everything that is needed to get them, and nothing else."""


class FetchRequest(_Message):
    """One source to be fetched, and what its artifact is built for.

    Attributes:
        job_name: of the OCIJob, for the artifact's file name.
        runtime: of the spec; None if the code is what OCI has.
        outputs: of the spec.
        language: of Spark code.
        origin: where the files come from.
        limits: what the request may take.
    """

    job_name: str
    runtime: Runtime | None = None
    outputs: Outputs | None = None
    language: SparkLanguage | None = None
    origin: Origin
    limits: Limits


class RefusalKind(StrEnum):
    """Why there is no artifact, by what can be done about it.

    MISSING: what is named does not exist or may not be read. UNREACHABLE: it can't be read now, and may be later.
    INVALID: the runtime can't run what is there, or it is too large. LIMIT: the process reached a limit
    before it could say more. DIED: it ended in another way. FULL: there is no room on the disk now.
    """

    MISSING = "missing"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"
    LIMIT = "limit"
    DIED = "died"
    FULL = "full"


class FetchRefusal(_Message):
    """Why there is no artifact, in words: what, where, and what to do."""

    kind: RefusalKind
    message: Annotated[str, Field(max_length=4096)]


class FetchedArtifact(_Message):
    """An artifact, whose bytes follow.

    Attributes:
        name: its file name, by which OCI tells its type.
        sha256: of its content, in hexadecimal.
        size: in bytes.
        libraries: of Spark, the members beside the one that is run, which is called `name`.
    """

    name: Annotated[str, Field(max_length=255)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    libraries: Annotated[
        tuple[Annotated[str, Field(max_length=255)], ...], Field(max_length=64)
    ] = ()


class FetchAnswer(_Message):
    """What came of a request.

    Attributes:
        commit: of a Git repository: what the reference names, or what was fetched.
        digest: over the files' names and contents; empty if nothing was fetched.
        artifact: None if there is none to build, as of a container without files.
        refusal: why there is no result; None if there is one.
    """

    commit: Annotated[str, Field(max_length=64)] = ""
    digest: Annotated[str, Field(max_length=64)] = ""
    artifact: FetchedArtifact | None = None
    refusal: FetchRefusal | None = None


class SourceRefusedError(Exception):
    """There is no artifact; `refusal` says why."""

    def __init__(self, kind: RefusalKind, message: str) -> None:
        super().__init__(message)
        self.refusal = FetchRefusal(kind=kind, message=message[:4096])
