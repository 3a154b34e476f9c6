"""What a run has different from its job: in an OCIJobRun, in a sweep, in a schedule."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.job.machines.data_flow import (
    CONFIGURATION_RULES,
    Executors,
    ShapeConfig,
    SparkConfiguration,
    one_family,
    sized_shape,
)
from ocijobs.api.job.machines.shape import (
    BlockStorageSize,
    JobShapeConfigDetails,
    ShapeName,
    shape_rule,
)
from ocijobs.api.job.runtimes.container import IMAGE_PATTERN
from ocijobs.api.job.runtimes.spark import Parameters
from ocijobs.api.run.failure_policy import FailurePolicy
from ocijobs.api.shared.dependency import RunEnvVars
from ocijobs.api.shared.environment import Arguments
from ocijobs.api.shared.model import (
    BucketUri,
    DeletionPolicy,
    DisplayName,
    JobDefinedTags,
    JobFreeformTags,
    Minutes,
    Model,
    Ocid,
    Seconds,
    Words,
    validations,
)


class RunInfrastructure(Model):
    """Machines of a run. What is left out is as in the job."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                f"!has(self.shapeName) || ({shape_rule(optional=False)[0]})",
                shape_rule(optional=False)[1],
            ),
        )
    )

    shape_name: ShapeName | None = Field(
        default=None, description="Compute shape, instead of the job's."
    )
    job_shape_config_details: JobShapeConfigDetails | None = Field(
        default=None, description="OCPUs and memory of a flexible shape, instead of the job's."
    )
    block_storage_size_in_gbs: BlockStorageSize | None = Field(
        default=None,
        alias="blockStorageSizeInGBs",
        description="Block storage in gigabytes, instead of the job's.",
    )


class RunLogging(Model):
    """Where the output of a run goes, instead of where the job's goes."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "(!has(self.enableLogging) || self.enableLogging) == has(self.logGroupId)",
                "logGroupId is needed, unless enableLogging is false",
            ),
            (
                "!has(self.logId) || has(self.logGroupId)",
                "logId needs logGroupId, the group of the log",
            ),
        )
    )

    enable_logging: bool = Field(default=True, description="With false no output is kept.")
    log_group_id: Ocid | None = Field(default=None, description="Log group.")
    log_id: Ocid | None = Field(
        default=None, description="Log of the group. Without it, the run gets its own log."
    )


class RunContainer(Model):
    """Container of a run. What is left out is as in the job."""

    image: Annotated[str, Field(max_length=512, pattern=IMAGE_PATTERN)] | None = Field(
        default=None, description="Image, instead of the job's."
    )
    entrypoint: Words | None = Field(
        default=None, description="Program of the container, instead of the job's."
    )
    cmd: Words | None = Field(
        default=None, description="Arguments of the container, instead of the job's."
    )


class RunSpark(Model):
    """Spark of a run. What is left out is as in the job."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            sized_shape("driverShape"),
            sized_shape("executorShape"),
            one_family(),
            *CONFIGURATION_RULES,
        )
    )

    driver_shape: ShapeName | None = Field(
        default=None, description="Compute shape of the driver, instead of the job's."
    )
    driver_shape_config: ShapeConfig | None = Field(
        default=None, description="Size of the driver: required for a flexible driverShape."
    )
    executor_shape: ShapeName | None = Field(
        default=None, description="Compute shape of each executor, instead of the job's."
    )
    executor_shape_config: ShapeConfig | None = Field(
        default=None, description="Size of each executor: required for a flexible executorShape."
    )
    num_executors: Executors | None = Field(
        default=None, description="Number of executors, instead of the job's."
    )
    spark_configuration: SparkConfiguration = Field(
        default_factory=dict,
        description="Properties that are added to the job's; a property of the same name overrides the job's.",
    )
    parameters: Parameters = Field(
        default=(),
        description="Values of parameters, added to the job's; one of the same name overrides the job's.",
    )
    logs_bucket_uri: BucketUri | None = Field(
        default=None, description="Where the logs go, instead of where the job's go."
    )
    warehouse_bucket_uri: BucketUri | None = Field(
        default=None, description="Where tables go, instead of where the job's go."
    )


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
