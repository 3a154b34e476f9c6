"""Observed state of an OCIJobRun: its attempts, what it was launched with, and what it left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self, Unpack

from pydantic import Field

from ocijobs.api.job.status import Submission
from ocijobs.api.run.binding import Binding
from ocijobs.api.run.observed import LogFile, NodeGroupState, OutputList, Results, RunMetrics
from ocijobs.api.run.phase import Phase, StopReason
from ocijobs.api.shared.backend import RecordedBackend
from ocijobs.api.shared.conditions import Conditions
from ocijobs.api.shared.dependency import Dependency
from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.api.shared.model import (
    ATOMIC_LIST,
    Model,
    ObjectName,
    Ocid,
    RegionName,
    RevisionName,
    Time,
    Url,
    map_list,
)

if TYPE_CHECKING:
    from ocijobs.api.status_changes import JobRunStatusFields

MOST_ATTEMPTS = 10
"""Attempts that a status tells of; `attemptCount` counts them all."""


class RunSubmission(Submission):
    """The intent to create a job run."""

    attempt: Annotated[int, Field(ge=0)] = Field(description="Number of the attempt, from 0.")
    identity: IdentityReference = Field(description="Identity of the call.")
    region: RegionName = Field(description="Region of the call.")
    compartment_id: Ocid = Field(description="Compartment of the run.")
    job_id: Ocid = Field(description="OCI job that is run.")


class Attempt(Model):
    """One job run in OCI."""

    number: Annotated[int, Field(ge=0)] = Field(description="Number of the attempt, from 0.")
    job_run_id: Ocid = Field(description="OCID of the job run.")
    lifecycle_state: Annotated[str, Field(max_length=63)] = Field(
        description="Last state seen in OCI."
    )
    exit_code: int | None = Field(
        default=None, description="Exit code of the code, if OCI reports it."
    )
    start_time: Time | None = Field(default=None, description="When the code started.")
    completion_time: Time | None = Field(default=None, description="When the attempt ended.")
    reason: Annotated[str, Field(max_length=63)] | None = Field(
        default=None, description="Why another attempt follows, in one word."
    )
    message: Annotated[str, Field(max_length=1024)] | None = Field(
        default=None, description="Details in OCI's own words."
    )


class RunLogs(Model):
    """Where the run's output is."""

    log_group_id: Ocid | None = Field(default=None, description="Log group.")
    log_id: Ocid | None = Field(default=None, description="Log.")
    console_url: Url | None = Field(
        default=None,
        description="The log's page in the OCI console; of a Spark run without one, the run's page.",
    )
    files: Annotated[
        tuple[LogFile, ...], Field(max_length=20, json_schema_extra=map_list("name"))
    ] = Field(
        default=(),
        description=(
            "Logs that Data Flow keeps of the run: its own, the driver's, and as many of the "
            "executors' as fit."
        ),
    )
    tail: (
        Annotated[
            tuple[Annotated[str, Field(max_length=4096)], ...],
            Field(max_length=20, json_schema_extra=ATOMIC_LIST),
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "Last lines of output: 20 lines and 4 KiB at most, 512 bytes of each line. Known secret "
            "values are masked."
        ),
    )


class OCIJobRunStatus(Model):
    """Observed state of an OCIJobRun."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="The metadata.generation that this status is of."
    )
    phase: Phase | None = Field(default=None, description="Where the run is.")
    backend: RecordedBackend | None = Field(
        default=None, description="Service of OCI that runs it: DataScience or DataFlow."
    )
    owner: Annotated[str, Field(max_length=256)] | None = Field(
        default=None,
        description="First part of the tag ocijobs_owner of the job run: the cluster and this object's uid.",
    )
    lifecycle_state: Annotated[str, Field(max_length=63)] | None = Field(
        default=None, description="State in OCI's own words, such as IN_PROGRESS."
    )
    lifecycle_details: Annotated[str, Field(max_length=1024)] | None = Field(
        default=None, description="Details in OCI's own words."
    )
    commit: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="Git commit that the run checked out; of `runtime.git`."
    )
    exit_code: int | None = Field(
        default=None, description="Exit code of the code, if OCI reports it."
    )
    job_run_id: Ocid | None = Field(default=None, description="OCID of the job run.")
    job_id: Ocid | None = Field(default=None, description="OCID of the OCI job that is run.")
    revision: RevisionName | None = Field(
        default=None, description="Revision of the OCIJob that the run was launched with."
    )
    console_url: Url | None = Field(default=None, description="The run's page in the OCI console.")
    logs: RunLogs | None = Field(default=None, description="Where the run's output is.")
    submit: RunSubmission | None = Field(
        default=None, description="The intent to create the job run."
    )
    binding: Binding | None = Field(default=None, description="What the run was launched with.")
    attempts: Annotated[
        tuple[Attempt, ...], Field(max_length=MOST_ATTEMPTS, json_schema_extra=map_list("number"))
    ] = Field(default=(), description="Job runs in OCI, the last 10.")
    attempt_count: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Number of job runs in OCI, all together."
    )
    failed: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Failed attempts that count against backoffLimit."
    )
    launch_time: Time | None = Field(
        default=None,
        description="When the run was first launched, or resumed. activeDeadlineSeconds counts from here.",
    )
    stopping: StopReason | None = Field(
        default=None, description="Why the operator ends the attempt."
    )
    workload: ObjectName | None = Field(
        default=None, description="Workload of Kueue that the attempt was admitted with."
    )
    dependencies: Annotated[
        tuple[Dependency, ...], Field(max_length=300, json_schema_extra=map_list("kind", "name"))
    ] = Field(default=(), description="What the run waited for, and has found.")
    node_groups: Annotated[
        tuple[NodeGroupState, ...], Field(max_length=5, json_schema_extra=map_list("name"))
    ] = Field(default=(), description="States of the groups of nodes.")
    accepted_time: Time | None = Field(default=None, description="When OCI accepted the run.")
    start_time: Time | None = Field(default=None, description="When the code started.")
    completion_time: Time | None = Field(
        default=None, description="When the run ended, successful or not."
    )
    results: Results | None = Field(
        default=None, description="Declared results, as the code printed them."
    )
    outputs: OutputList | None = Field(
        default=None, description="Objects under outputs.uri after the run."
    )
    metrics: RunMetrics | None = Field(
        default=None,
        description="What the run used: Data Flow's totals at the end, or utilisation some minutes later.",
    )
    blocked_since: Time | None = Field(
        default=None, description="Since when the same cause keeps the run from going on."
    )
    conditions: Conditions = Field(
        default=(),
        description=(
            "Ready, Reconciling, Stalled, Suspended, ResultsReady, and one of Complete and Failed at "
            "the end."
        ),
    )

    @property
    def ended(self) -> bool:
        """Whether the run is in a phase that it never leaves."""
        return self.phase is not None and self.phase.terminal

    def changed(self, **fields: Unpack[JobRunStatusFields]) -> Self:
        """Return the status with other values of some fields."""
        return self.model_copy(update=fields)
