"""What a decision is: a complete status, actions as data, and when to look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from ocijobs.api.identity import IdentityReference
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.orphan import Orphan
from ocijobs.api.shared.model import Model
from ocijobs.api.shared.reasons import EXPLANATIONS, EventType, Reason
from ocijobs.backends.environment import ValueKey
from ocijobs.backends.records import LogAddress
from ocijobs.backends.requests import JobChange, JobCreation, RunCreation, WantedName

StatusT_co = TypeVar("StatusT_co", bound=Model, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """As whom, and where, OCI is called: recorded once per remote object and used for its life."""

    identity: IdentityReference
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher(Caller):
    """As whom something is created in OCI: only while the Secret of the identity is at that version.

    What ends something has a Caller, which outlives the Secret; what creates something can't be asked for with one.
    """

    version: str


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Hold the object. Never done to an object that is being deleted."""


@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Let the object go."""


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """Delete the object itself, as it was observed: one that has changed since stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateObject:
    """Create an object of ours in the cluster; one of that name stays as it is."""

    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditObject:
    """Set fields of the spec of an object of ours, if it is still the one with that uid."""

    kind: str
    name: str
    uid: str
    spec: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOwned:
    """Delete an object that belongs to this one, if it is still the one with that uid."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWorkload:
    """Create the run's Workload, with the value of its priority class; `epoch` tells what it asks for."""

    document: dict[str, Any]
    priority_class: str | None
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchWorkload:
    """Change the run's Workload, or its status, by a JSON patch with tests."""

    name: str
    changes: tuple[Mapping[str, Any], ...]
    status: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishWorkload:
    """Set the Workload's condition Finished, and nothing else of its status."""

    name: str
    condition: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWorkload:
    """Delete the Workload, if it is still the one with that uid."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCredentials:
    """Read the Secret of an identity into memory."""

    secret_name: str
    region: str | None
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyCredentials:
    """Ask OCI for something that every principal may read (the Object Storage namespace)."""

    caller: Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCredentials:
    """Keep a copy of the Secret of an identity in the operator's own namespace, for deletion alone.

    It is there before anything is in OCI: of a namespace that is deleted, the Secret goes first.
    """

    identity: IdentityReference


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCredentials:
    """Delete the copy of the Secret of an identity: nothing needs it any more."""

    identity: IdentityReference


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOrphan:
    """Note in the operator's own namespace what an object that is let go leaves in OCI."""

    orphan: Orphan


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshJob:
    """Let the OCIJob's own worker read the job's sources, unless it has since `after`."""

    name: str
    after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedSource:
    """The source of the current revision, and its artifact; `version` is empty of what is in the cluster."""

    version: str
    digest: str
    artifact: Artifact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSources:
    """Read the job's code, and build its artifact from it.

    `caller` is as whom Object Storage is read. `served` is what the current revision has, if it is of this very spec: a
    source that is still at its version is not read again. `version` is the one of a remote source that is to be read;
    without one, the source is asked for it and nothing of it is read.
    """

    spec: OCIJobSpec
    caller: Caller
    served: ServedSource | None
    epoch: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadValues:
    """Read the Secrets and ConfigMaps that environment variables refer to; True marks an optional key."""

    keys: tuple[tuple[ValueKey, bool], ...]
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindName:
    """Find the OCID of what the spec gives by name."""

    caller: Caller
    compartment_id: str
    name: WantedName
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShapes:
    """List the compute shapes that jobs may have."""

    caller: Caller
    compartment_id: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob:
    """Create an OCI job. Safe to repeat with the same token for 24 hours."""

    caller: Launcher
    token: str
    backend: str
    request: JobCreation
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchJobs:
    """List all jobs of the place and find the one with the owner tag; `token` is of the intent in doubt.

    The place is a project of Data Science, or a compartment's applications.
    """

    caller: Caller
    token: str
    backend: str
    compartment_id: str
    project_id: str | None
    owner: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpJob:
    """Get the job; where OCI answers 404, list it by its id."""

    caller: Caller
    compartment_id: str
    job_id: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadArtifact:
    """Ask whether the job has its artifact (HEAD), and upload it if not; code of Spark goes to its own place."""

    caller: Caller
    job_id: str
    artifact: Artifact
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCode:
    """Delete the objects of a folder of code, unless some job names it by now."""

    caller: Caller
    uri: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateJob:
    """Send the settings that OCI changes in place."""

    caller: Caller
    job_id: str
    settings: JobChange
    settings_digest: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListActiveRuns:
    """List all runs of an OCI job, and tell which are active."""

    caller: Caller
    compartment_id: str
    job_id: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteJob:
    """Delete an OCI job, its runs' records excepted (`deleteRelatedJobRuns=false`)."""

    caller: Caller
    job_id: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRun:
    """Create a job run. Safe to repeat with the same token for 24 hours."""

    caller: Launcher
    token: str
    request: RunCreation
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRuns:
    """List all runs of the OCI job and find the one with the owner tag; `token` is of the intent in doubt."""

    caller: Caller
    token: str
    compartment_id: str
    job_id: str
    owner: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpRun:
    """Get the job run; where OCI answers 404, list it by its id."""

    caller: Caller
    compartment_id: str
    run_id: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun:
    """Cancel a job run."""

    caller: Caller
    run_id: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRun:
    """Delete the record of an ended job run; `former` tells one of an attempt that another has followed."""

    caller: Caller
    run_id: str
    epoch: str
    former: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResults:
    """Read `results.json`, which the driver wrote beside the outputs."""

    caller: Caller
    run_id: str
    outputs_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOutputs:
    """List the objects under the run's outputs."""

    caller: Caller
    outputs_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLogs:
    """Read the last lines of a run's output, and its last result line, in the next batch."""

    caller: Caller
    compartment_id: str
    run_id: str
    log: LogAddress
    since: datetime
    until: datetime | None
    results: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRunLogs:
    """Read the logs that Data Flow keeps of a run which has ended: the last lines, and result lines if wanted."""

    caller: Caller
    run_id: str
    results: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUtilisation:
    """Read what a run used of its machines, in the next batch; its code ran from `start` to `end`."""

    caller: Caller
    compartment_id: str
    run_id: str
    start: datetime
    end: datetime


Action = (
    AddFinalizer
    | RemoveFinalizer
    | DeleteObject
    | CreateObject
    | EditObject
    | DeleteOwned
    | CreateWorkload
    | PatchWorkload
    | FinishWorkload
    | DeleteWorkload
    | ReadCredentials
    | VerifyCredentials
    | HoldCredentials
    | DropCredentials
    | ListOrphan
    | RefreshJob
    | ReadSources
    | ReadValues
    | FindName
    | ListShapes
    | CreateJob
    | SearchJobs
    | LookUpJob
    | UploadArtifact
    | UpdateJob
    | ListActiveRuns
    | DeleteJob
    | DeleteCode
    | CreateRun
    | SearchRuns
    | LookUpRun
    | CancelRun
    | DeleteRun
    | ReadResults
    | ListOutputs
    | SearchLogs
    | ReadRunLogs
    | ReadUtilisation
)


def answers_later(action: Action) -> bool:
    """Whether what an action brings comes after the round, and wakes the object then."""
    match action:
        case DeleteObject() | RefreshJob() | UploadArtifact() | SearchLogs() | ReadUtilisation():
            return True
        case ReadSources(spec=spec):
            return spec.reads_remotely
        case _:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An Event on the object; the table of reasons says of which type it is."""

    reason: Reason
    message: str

    @property
    def type(self) -> EventType:
        """Type of the Event."""
        event = EXPLANATIONS[self.reason].event
        if event is None:
            raise AssertionError(f"{self.reason} has no Event")
        return event


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A run that the shared poll watches."""

    caller: Caller
    compartment_id: str
    job_id: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Generic[StatusT_co]):
    """What is to be done about one object now.

    `reads` is true of a job that needs a turn at reading its remote source, or goes on with it.

    An intent is never written and acted on in one decision: the action comes when the intent is observed, that is,
    when the API server has it.
    """

    status: StatusT_co
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    follow: Followed | None = None
    notes: tuple[Note, ...] = ()
    serves: datetime | None = None
    reads: bool = False
