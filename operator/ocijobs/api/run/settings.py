"""What a run has different from its job: in an OCIJobRun, in a sweep, in a schedule."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ocijobs.api.job.fields import (
    DeletionPolicy,
    DisplayName,
    JobDefinedTags,
    JobFreeformTags,
    Minutes,
)
from ocijobs.api.run.failure_policy import FailurePolicy
from ocijobs.api.run.overrides import RunContainer, RunInfrastructure, RunLogging, RunSpark
from ocijobs.api.shared.dependency import RunEnvVars
from ocijobs.api.shared.environment import Arguments
from ocijobs.api.shared.model import Model, ObjectName


class JobReference(Model):
    """The OCIJob that is run."""

    name: ObjectName = Field(
        description="Name of the OCIJob, in this namespace. It may be created later."
    )


def immutable(field: str, kind: str) -> tuple[str, str]:
    """Return the rule that a field of a spec never changes.

    One rule a field at the root: a rule on an optional field is passed by removing and re-adding it.
    """
    return (
        (
            f"has(self.{field}) == has(oldSelf.{field}) && "
            f"(!has(self.{field}) || self.{field} == oldSelf.{field})"
        ),
        f"{field} is immutable: create another {kind}",
    )


Seconds = Annotated[int, Field(ge=1, le=10 * 365 * 24 * 3600)]


class RunSettings(Model):
    """What a run has different from its job, and how it is tried."""

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
    env: RunEnvVars = Field(
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
    infrastructure: RunInfrastructure | None = Field(
        default=None, description="Machines that are others than the job's."
    )
    logging: RunLogging | None = Field(
        default=None, description="Where the output goes, in place of where the job's goes."
    )
    container: RunContainer | None = Field(
        default=None, description="Image and command that are others than those of a container job."
    )
    spark: RunSpark | None = Field(
        default=None,
        description="Machines, properties and parameters that are others than those of a Spark job.",
    )
    backoff_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0,
        description=(
            "How often a failed run is tried again; 0 by default, since attempts cost money. Each is "
            "a job run of its own in OCI."
        ),
    )
    failure_policy: FailurePolicy | None = Field(
        default=None, description="Which failures are tried again."
    )
    submission_retry_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0,
        description=(
            "How often a creation is tried again that OCI refuses as invalid. What may pass by itself "
            "(throttling, limits, capacity, permissions) is always tried again."
        ),
    )
    active_deadline_seconds: Seconds | None = Field(
        default=None,
        description=(
            "From the first launch: the run is ended and fails when it takes longer, all attempts "
            "together."
        ),
    )
    pre_running_deadline_seconds: Seconds | None = Field(
        default=None,
        description=(
            "From ACCEPTED to IN_PROGRESS: an attempt whose machine is not there by then has failed. "
            "Provisioning takes minutes."
        ),
    )
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=10 * 365 * 24 * 3600)] | None = Field(
        default=None,
        description=(
            "The object is deleted that long after its end, unless another run waits for it; by "
            "default never. OCI's record stays by deletionPolicy."
        ),
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.RETAIN,
        description=(
            "What deleting this object does to the record of the ended run in OCI. A run that is "
            "still active is cancelled either way."
        ),
    )
