"""Settings of a job that a run may have differently: machines, logging, container, Spark."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.job.code import Words
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
from ocijobs.api.shared.model import BucketUri, Model, Ocid, validations


class RunInfrastructure(Model):
    """Machines of a run; what is left out is as the job has it."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                f"!has(self.shapeName) || ({shape_rule(optional=False)[0]})",
                shape_rule(optional=False)[1],
            ),
        )
    )

    shape_name: ShapeName | None = Field(
        default=None, description="Compute shape in place of the job's."
    )
    job_shape_config_details: JobShapeConfigDetails | None = Field(
        default=None, description="OCPUs and memory in place of the job's; of a flexible shape."
    )
    block_storage_size_in_gbs: BlockStorageSize | None = Field(
        default=None,
        alias="blockStorageSizeInGBs",
        description="Block storage in gigabytes in place of the job's.",
    )


class RunLogging(Model):
    """Where the output of a run goes, in place of where the job's goes."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "(!has(self.enableLogging) || self.enableLogging) == has(self.logGroupId)",
                "logGroupId is needed, unless enableLogging is false",
            ),
            (
                "!has(self.logId) || has(self.logGroupId)",
                "logId needs the logGroupId that holds it",
            ),
        )
    )

    enable_logging: bool = Field(default=True, description="False keeps no output.")
    log_group_id: Ocid | None = Field(default=None, description="Log group.")
    log_id: Ocid | None = Field(
        default=None, description="Log of the group; without it the run gets a log of its own."
    )


class RunContainer(Model):
    """Container of a run; what is left out is as the job has it."""

    image: Annotated[str, Field(max_length=512, pattern=IMAGE_PATTERN)] | None = Field(
        default=None, description="Image in place of the job's."
    )
    entrypoint: Words | None = Field(
        default=None, description="Program of the container in place of the job's."
    )
    cmd: Words | None = Field(
        default=None, description="Arguments of the container in place of the job's."
    )


class RunSpark(Model):
    """Spark of a run; what is left out is as the job has it."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            sized_shape("driverShape"),
            sized_shape("executorShape"),
            one_family(),
            *CONFIGURATION_RULES,
        )
    )

    driver_shape: ShapeName | None = Field(
        default=None, description="Compute shape of the driver in place of the job's."
    )
    driver_shape_config: ShapeConfig | None = Field(
        default=None, description="Size of the driver; with a flexible driverShape."
    )
    executor_shape: ShapeName | None = Field(
        default=None, description="Compute shape of each executor in place of the job's."
    )
    executor_shape_config: ShapeConfig | None = Field(
        default=None, description="Size of each executor; with a flexible executorShape."
    )
    num_executors: Executors | None = Field(
        default=None, description="Number of executors in place of the job's."
    )
    spark_configuration: SparkConfiguration = Field(
        default_factory=dict,
        description="Properties that are added to the job's or replace them, one by one.",
    )
    parameters: Parameters = Field(
        default=(), description="Values of parameters, added to the job's or in their place."
    )
    logs_bucket_uri: BucketUri | None = Field(
        default=None, description="Where the logs go, in place of where the job's go."
    )
    warehouse_bucket_uri: BucketUri | None = Field(
        default=None, description="Where tables go, in place of where the job's go."
    )
