"""OCIJobRun: one execution of an OCIJob, an immutable intent."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.conditions import Conditions
from ocijobs.api.environment import Arguments, EnvVars
from ocijobs.api.identity import IdentityReference, RegionName
from ocijobs.api.job import (
    DeletionPolicy,
    DisplayName,
    JobDefinedTags,
    JobFreeformTags,
    Minutes,
    ResultNames,
)
from ocijobs.api.job_status import RevisionName, Submission, Url
from ocijobs.api.metadata import ObjectMeta
from ocijobs.api.model import ATOMIC_LIST, Model, ObjectName, Ocid, Time, map_list, validations


class Phase(StrEnum):
    """Where a run is; conditions say the same for machines."""

    PENDING = "Pending"
    ACCEPTED = "Accepted"
    RUNNING = "Running"
    CANCELLING = "Cancelling"
    NEEDS_ATTENTION = "NeedsAttention"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the phase is never left."""
        return self in _TERMINAL


_TERMINAL = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})


class JobReference(Model):
    """The OCIJob that is run."""

    name: ObjectName = Field(
        description="Name of the OCIJob, in this namespace. It may be created later."
    )


_IMMUTABLE_FIELDS = (
    "jobRef",
    "displayName",
    "freeformTags",
    "definedTags",
    "env",
    "args",
    "maximumRuntimeInMinutes",
)


def _immutable(field: str) -> tuple[str, str]:
    """One rule a field at the root: a rule on an optional field is passed by removing and re-adding it."""
    return (
        (
            f"has(self.{field}) == has(oldSelf.{field}) && "
            f"(!has(self.{field}) || self.{field} == oldSelf.{field})"
        ),
        f"{field} is immutable: a run is one execution, create another OCIJobRun",
    )


class RunAdoption(Model):
    """A job run that was made elsewhere: by ADS, by the console, or by an operator of another cluster."""

    job_run_id: Ocid = Field(description="OCID of the job run.")
    former_owner: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description=(
            "status.owner of the object that launched the job run: without it a job run that an "
            "operator like this one launched is not adopted."
        ),
    )


class OCIJobRunSpec(Model):
    """Desired state of an OCIJobRun: which job, and what this run has different from it.

      spec:
        jobRef:
          name: train-classifier
        env:
          - name: TREES
            value: "200"

    A run is one execution: but for `cancel` and `deletionPolicy` its spec can't be edited.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            *(_immutable(field) for field in _IMMUTABLE_FIELDS),
            (
                "!has(oldSelf.adopt) || (has(self.adopt) && self.adopt == oldSelf.adopt)",
                "adopt is immutable once it is set: create another OCIJobRun",
            ),
            (
                "!(has(oldSelf.cancel) && oldSelf.cancel) || (has(self.cancel) && self.cancel)",
                "cancel can't be taken back: create another OCIJobRun",
            ),
        )
    )

    job_ref: JobReference = Field(description="The OCIJob that is run.")
    display_name: DisplayName | None = Field(
        default=None,
        description="Name of the job run in OCI; by default namespace/name of the object.",
    )
    freeform_tags: JobFreeformTags | None = Field(
        default=None, description="Free-form tags of the job run, 7 at most."
    )
    defined_tags: JobDefinedTags | None = Field(
        default=None, description="Defined tags of the job run: tag namespace -> key -> value."
    )
    env: EnvVars = Field(
        default=(),
        description=(
            "Environment variables that are added to the job's or replace them. A variable of the"
            " job can't be unset."
        ),
    )
    args: Arguments | None = Field(
        default=None, description="Command line arguments in place of all of the job's."
    )
    maximum_runtime_in_minutes: Minutes | None = Field(
        default=None, description="OCI ends the run when it takes longer; in place of the job's."
    )
    adopt: RunAdoption | None = Field(
        default=None,
        description=(
            "A job run that is there already: it is followed, and none is launched. It may be set "
            "later, while the run is held or waits, and then not be changed."
        ),
    )
    cancel: bool = Field(
        default=False,
        description="True cancels the run in OCI and keeps this record. It can't be taken back.",
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.RETAIN,
        description=(
            "What deleting this object does to the record of the ended run in OCI. A run that is "
            "still active is "
            "cancelled either way."
        ),
    )


class RunSubmission(Submission):
    """The intent to create a job run."""

    attempt: Annotated[int, Field(ge=0)] = Field(description="Number of the attempt, from 0.")
    identity: IdentityReference = Field(description="Identity of the call.")
    region: RegionName = Field(description="Region of the call.")
    compartment_id: Ocid = Field(description="Compartment of the run.")
    job_id: Ocid = Field(description="OCI job that is run.")


class ReferencedValue(Model):
    """A Secret or ConfigMap that gave values to the run."""

    kind: Annotated[str, Field(max_length=63)] = Field(description="Secret or ConfigMap.")
    name: ObjectName = Field(description="Name of the object.")
    uid: Annotated[str, Field(max_length=128)] = Field(description="Its uid.")
    resource_version: Annotated[str, Field(max_length=128)] = Field(
        description="Its resourceVersion when it was read."
    )


class Binding(Model):
    """What the run was launched with."""

    job_uid: Annotated[str, Field(max_length=128)] = Field(description="uid of the OCIJob.")
    job_generation: Annotated[int, Field(ge=0)] = Field(
        description="metadata.generation of the OCIJob."
    )
    artifact_sha256: Annotated[str, Field(max_length=128)] | None = Field(
        default=None, description="SHA-256 of the job's artifact."
    )
    shape_name: Annotated[str, Field(max_length=255)] | None = Field(
        default=None,
        description="Compute shape, of the first group of nodes where there are several.",
    )
    ocpus: float | None = Field(default=None, description="OCPUs of a flexible shape.")
    memory_in_gbs: float | None = Field(
        default=None, alias="memoryInGBs", description="Memory of a flexible shape in gigabytes."
    )
    block_storage_size_in_gbs: int | None = Field(
        default=None, alias="blockStorageSizeInGBs", description="Block storage in gigabytes."
    )
    nodes: int | None = Field(
        default=None, description="Number of nodes of a run that is on several."
    )
    compute_target_id: Ocid | None = Field(
        default=None, description="Managed compute cluster that the run went to."
    )
    values: Annotated[
        tuple[ReferencedValue, ...], Field(max_length=200, json_schema_extra=ATOMIC_LIST)
    ] = Field(
        default=(), description="Secrets and ConfigMaps that gave values to environment variables."
    )
    outputs_uri: Annotated[str, Field(max_length=2048)] | None = Field(
        default=None, description="Where outputs go; $(JOB_RUN_OCID) is still to be filled in."
    )
    results: ResultNames | None = Field(
        default=None, description="Names of the results that the run is to report."
    )


class Attempt(Model):
    """One job run in OCI."""

    number: Annotated[int, Field(ge=0)] = Field(description="Number of the attempt, from 0.")
    job_run_id: Ocid = Field(description="OCID of the job run.")
    lifecycle_state: Annotated[str, Field(max_length=63)] = Field(
        description="Last state seen in OCI."
    )
    exit_code: int | None = Field(
        default=None, description="Exit code of the code, where OCI tells it."
    )
    start_time: Time | None = Field(default=None, description="When the code started.")
    completion_time: Time | None = Field(default=None, description="When the attempt ended.")


class RunLogs(Model):
    """Where the run's output is."""

    log_group_id: Ocid | None = Field(default=None, description="Log group.")
    log_id: Ocid | None = Field(default=None, description="Log.")
    console_url: Url | None = Field(default=None, description="The log's page in the OCI console.")
    tail: (
        Annotated[
            tuple[Annotated[str, Field(max_length=4096)], ...],
            Field(max_length=20, json_schema_extra=ATOMIC_LIST),
        ]
        | None
    ) = Field(
        default=None,
        description="Last lines of output, 20 lines and 4 KiB at most, known secret values masked.",
    )


class OutputList(Model):
    """Objects that the run's outputs are."""

    count: Annotated[int, Field(ge=0)] = Field(description="Number of objects.")
    objects: Annotated[
        tuple[Annotated[str, Field(max_length=2048)], ...],
        Field(max_length=50, json_schema_extra=ATOMIC_LIST),
    ] = Field(default=(), description="oci:// addresses of the first 50.")


class OCIJobRunStatus(Model):
    """Observed state of an OCIJobRun."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="The metadata.generation that this status is of."
    )
    phase: Phase | None = Field(default=None, description="Where the run is.")
    owner: Annotated[str, Field(max_length=256)] | None = Field(
        default=None,
        description="Begins the tag ocijobs_owner of the job run: the cluster and this object's uid.",
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
        default=None, description="Exit code of the code, where OCI tells it."
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
        tuple[Attempt, ...], Field(max_length=10, json_schema_extra=map_list("number"))
    ] = Field(default=(), description="Job runs in OCI, the last 10.")
    accepted_time: Time | None = Field(default=None, description="When OCI accepted the run.")
    start_time: Time | None = Field(default=None, description="When the code started.")
    completion_time: Time | None = Field(
        default=None, description="When the run ended, well or not."
    )
    results: (
        Annotated[
            Mapping[Annotated[str, Field(max_length=63)], Annotated[str, Field(max_length=4096)]],
            Field(max_length=32),
        ]
        | None
    ) = Field(default=None, description="Declared results, as the code printed them.")
    outputs: OutputList | None = Field(
        default=None, description="Objects under outputs.uri after the run."
    )
    blocked_since: Time | None = Field(
        default=None, description="Since when the same cause keeps the run from going on."
    )
    conditions: Conditions = Field(
        default=(),
        description=(
            "Ready, Reconciling, Stalled, ResultsReady, and one of Complete and Failed at the end."
        ),
    )


class OCIJobRun(Model):
    """One execution of an OCIJob.

    Its spec can't be edited, but for `cancel` and `deletionPolicy`: to run again, create another. Deleting a run
    that is active cancels it in OCI.
    """

    metadata: ObjectMeta
    spec: OCIJobRunSpec
    status: OCIJobRunStatus = Field(default=OCIJobRunStatus())
