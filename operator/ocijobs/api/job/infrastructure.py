"""Infrastructure of a job: what compute its runs get.

Rules from the Data Science API: a subnet means custom networking (STANDALONE), none means managed egress
(ME_STANDALONE); node groups mean MULTI_NODE, a compute target means MANAGED_COMPUTE_CLUSTER.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api.job.machines.compute_target import ComputeTarget
from ocijobs.api.job.machines.data_flow import DataFlowInfrastructure
from ocijobs.api.job.machines.logging import Logging
from ocijobs.api.job.machines.node_group import JobNodeGroup, StartupOrder
from ocijobs.api.job.machines.shape import (
    BlockStorageSize,
    JobShapeConfigDetails,
    ShapeName,
    shape_rule,
)
from ocijobs.api.job.machines.startup_probe import StartupProbe
from ocijobs.api.job.machines.storage_mount import StorageMount
from ocijobs.api.shared.model import ATOMIC_LIST, Model, Ocid, map_list, validations

DEFAULT_BLOCK_STORAGE_GBS = 50
"""The least that the API takes."""


class DataScienceJobInfrastructure(Model):
    """Compute of OCI Data Science jobs."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "has(self.shapeName) != has(self.computeTarget)",
                "exactly one of shapeName and computeTarget must be given",
            ),
            shape_rule(optional=True),
            (
                (
                    "!has(self.computeTarget) || !(has(self.subnetId) || "
                    "has(self.capacityReservationId) || has(self.blockStorageSizeInGBs) || "
                    "has(self.jobNodeGroups))"
                ),
                (
                    "a compute target has its own network and machines: subnetId, "
                    "capacityReservationId, blockStorageSizeInGBs and jobNodeGroups don't go with it"
                ),
            ),
            (
                "!has(self.startupOrder) || has(self.jobNodeGroups)",
                "startupOrder needs jobNodeGroups",
            ),
            (
                (
                    "has(self.subnetId) || !has(self.storageMounts) || "
                    "self.storageMounts.all(m, !has(m.fileStorage))"
                ),
                "a file system is mounted in a subnet: give subnetId",
            ),
        )
    )

    shape_name: ShapeName | None = Field(
        default=None, description="Compute shape of every run, such as VM.Standard.E4.Flex."
    )
    job_shape_config_details: JobShapeConfigDetails | None = Field(
        default=None,
        description="OCPUs and memory: required for a flexible shape, not allowed for others.",
    )
    block_storage_size_in_gbs: BlockStorageSize | None = Field(
        default=None,
        alias="blockStorageSizeInGBs",
        description="Block storage of each run in gigabytes. 50 by default, which is the minimum.",
    )
    subnet_id: Ocid | None = Field(
        default=None,
        description=(
            "Subnet of the runs (custom networking). Without it, they use the managed egress of the "
            "service."
        ),
    )
    capacity_reservation_id: Ocid | None = Field(
        default=None, description="Capacity reservation that the machines come from."
    )
    compute_target: ComputeTarget | None = Field(
        default=None,
        description=(
            "A managed compute cluster that runs the job, instead of a machine of its own for each "
            "run."
        ),
    )
    storage_mounts: Annotated[
        tuple[StorageMount, ...], Field(max_length=5, json_schema_extra=ATOMIC_LIST)
    ] = Field(
        default=(), description="Buckets and file systems that every run mounts, five at most."
    )
    logging: Logging | None = Field(default=None, description="Where the output of runs goes.")
    startup_probe: StartupProbe | None = Field(
        default=None, description="A command that detects that the code of a run has started."
    )
    startup_order: StartupOrder | None = Field(
        default=None,
        description="Whether node groups start in order or all at once. By default all at once.",
    )
    job_node_groups: Annotated[
        tuple[JobNodeGroup, ...], Field(max_length=5, json_schema_extra=map_list("name"))
    ] = Field(
        default=(),
        description=(
            "Groups of nodes. Each run is on several machines, and each machine runs the code. "
            "Without groups, a run has one machine."
        ),
    )


_ONE_MESSAGE = "exactly one of dataScienceJob and dataFlow must be given"


class Infrastructure(Model):
    """What the job runs on: exactly one of its fields.

      infrastructure:
        dataScienceJob:
          shapeName: VM.Standard.E4.Flex
          jobShapeConfigDetails:
            ocpus: 1
            memoryInGBs: 16

    A shape whose name ends with .Flex needs the number of OCPUs and the memory; others have theirs. Spark, with
    runtime.spark, runs on Data Flow:

      infrastructure:
        dataFlow:
          sparkVersion: 3.5.0
          driverShape: VM.Standard.E4.Flex
          driverShapeConfig:
            ocpus: 1
            memoryInGBs: 16
          numExecutors: 2
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            ("has(self.dataScienceJob) != has(self.dataFlow)", _ONE_MESSAGE)
        )
    )

    data_science_job: DataScienceJobInfrastructure | None = Field(
        default=None,
        description=(
            "OCI Data Science: each run has a virtual machine of its own, which exists as long as the "
            "run."
        ),
    )
    data_flow: DataFlowInfrastructure | None = Field(
        default=None,
        description="OCI Data Flow: each run has its own Spark, with a driver and executors.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.data_science_job is None) == (self.data_flow is None):
            msg = f"infrastructure: {_ONE_MESSAGE}"
            raise ValueError(msg)
        return self
