"""Actions of an OCIJob: its code is read and uploaded, and its OCI jobs are made, changed and removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.backends.requests import JobChange, JobCreation, WantedName
from ocijobs.reconcile.actions.calls import Caller, Launcher, OciCall, Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedSource:
    """The source of the current revision, and its artifact; `version` is empty of what is in the cluster."""

    version: str
    digest: str
    artifact: Artifact | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSources:
    """Read the job's code, and build its artifact from it.

    `caller` is as whom Object Storage is read. `served` is what the current revision has, if it is of this very spec: a
    source that is still at its version is not read again. `version` is the one of a remote source that is to be read;
    without one, the source is asked for it and nothing of it is read.
    """

    operation: ClassVar[Operation] = Operation.READ_SOURCES
    spec: OCIJobSpec
    caller: Caller
    served: ServedSource | None
    epoch: str
    version: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class UploadArtifact:
    """Ask whether the job has its artifact (HEAD), and upload it if not; code of Spark goes to its own place."""

    operation: ClassVar[Operation] = Operation.UPLOAD
    caller: Caller
    job_id: str
    artifact: Artifact
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOfJob(OciCall):
    """A call whose answer is learnt of a job."""

    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOfOciJob(CallOfJob):
    """A call about one OCI job."""

    job_id: str

    @property
    def ocid(self) -> str:
        """The OCI job that it is about."""
        return self.job_id


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FindName(CallOfJob):
    """Find the OCID of what the spec gives by name."""

    operation: ClassVar[Operation] = Operation.FIND_NAME
    compartment_id: str
    name: WantedName


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ListShapes(CallOfJob):
    """List the compute shapes that jobs may have."""

    operation: ClassVar[Operation] = Operation.LIST_SHAPES
    compartment_id: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob(CallOfJob):
    """Create an OCI job. Safe to repeat with the same token for 24 hours."""

    operation: ClassVar[Operation] = Operation.CREATE
    caller: Launcher
    token: str
    backend: str
    request: JobCreation


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchJobs(CallOfJob):
    """List all jobs of the place and find the one with the owner tag; `token` is of the intent in doubt.

    The place is a project of Data Science, or a compartment's applications.
    """

    operation: ClassVar[Operation] = Operation.SEARCH
    token: str
    backend: str
    compartment_id: str
    project_id: str | None
    owner: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpJob(CallOfOciJob):
    """Get the job; where OCI answers 404, list it by its id."""

    operation: ClassVar[Operation] = Operation.LOOK_UP
    compartment_id: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateJob(CallOfOciJob):
    """Send the settings that OCI changes in place."""

    operation: ClassVar[Operation] = Operation.UPDATE
    settings: JobChange
    settings_digest: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ListActiveRuns(CallOfOciJob):
    """List all runs of an OCI job, and tell which are active."""

    operation: ClassVar[Operation] = Operation.LIST_RUNS
    compartment_id: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteJob(CallOfOciJob):
    """Delete an OCI job, its runs' records excepted (`deleteRelatedJobRuns=false`)."""

    operation: ClassVar[Operation] = Operation.DELETE


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCode(CallOfJob):
    """Delete the objects of a folder of code, unless some job names it by now."""

    operation: ClassVar[Operation] = Operation.DELETE_CODE
    uri: str


BackendJobCall = CreateJob | SearchJobs | LookUpJob | UpdateJob | ListActiveRuns | DeleteJob
"""Calls that each backend makes in its own way."""

JobCall = BackendJobCall | FindName | ListShapes | DeleteCode
"""Calls that are answered in the round that asks for them."""

JobAction = JobCall | ReadSources | UploadArtifact
"""What is done about a job and is learnt."""
