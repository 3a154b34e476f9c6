"""Infrastructure of a job: what compute its runs get.

Rules from the Data Science API: `*.Flex` shapes and only they take a shape configuration; a subnet means custom
networking (STANDALONE), none means managed egress (ME_STANDALONE); block storage is 50 GB at least.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.model import Model, Ocid, validations


class CpuBaseline(StrEnum):
    """Baseline OCPU utilisation of a burstable shape."""

    BASELINE_1_8 = "BASELINE_1_8"
    BASELINE_1_2 = "BASELINE_1_2"
    BASELINE_1_1 = "BASELINE_1_1"


class JobShapeConfigDetails(Model):
    """Size of a flexible shape."""

    ocpus: Annotated[float, Field(gt=0, le=1024)] | None = Field(
        default=None, description="Number of OCPUs (a physical core each)."
    )
    memory_in_gbs: Annotated[float, Field(gt=0, le=65536)] | None = Field(
        default=None, alias="memoryInGBs", description="Memory in gigabytes."
    )
    cpu_baseline: CpuBaseline | None = Field(
        default=None,
        description="Baseline of a burstable instance; BASELINE_1_1, the default, is not burstable.",
    )


class Logging(Model):
    """Where the output of runs goes."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "!has(self.logId) || has(self.logGroupId)",
                "logId needs the logGroupId that holds it",
            ),
            (
                "self.enableLogging || !has(self.logGroupId)",
                "logGroupId and logId have no meaning where enableLogging is false",
            ),
        )
    )

    enable_logging: bool = Field(
        default=True,
        description="False keeps no output, even where the identity has a default log group.",
    )
    log_group_id: Ocid | None = Field(
        default=None, description="Log group; by default that of the identity's defaults."
    )
    log_id: Ocid | None = Field(
        default=None,
        description="Log of the group that all runs write to. Without it, each run gets a log of its own.",
    )


class DataScienceJobInfrastructure(Model):
    """Compute of OCI Data Science jobs."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "self.shapeName.endsWith('.Flex') == has(self.jobShapeConfigDetails)",
                (
                    "jobShapeConfigDetails is needed with a shape whose name ends with .Flex, and "
                    "only with it"
                ),
            )
        )
    )

    shape_name: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        description="Compute shape of every run, such as VM.Standard.E4.Flex."
    )
    job_shape_config_details: JobShapeConfigDetails | None = Field(
        default=None, description="OCPUs and memory; with a flexible shape, and only with it."
    )
    block_storage_size_in_gbs: Annotated[int, Field(ge=50, le=10240)] = Field(
        default=50,
        alias="blockStorageSizeInGBs",
        description="Block storage of each run in gigabytes, 50 at least.",
    )
    subnet_id: Ocid | None = Field(
        default=None,
        description=(
            "Subnet of runs (custom networking). Without it they have the service's managed egress."
        ),
    )
    logging: Logging | None = Field(default=None, description="Where the output of runs goes.")


class Infrastructure(Model):
    """What the job runs on.

      infrastructure:
        dataScienceJob:
          shapeName: VM.Standard.E4.Flex
          jobShapeConfigDetails:
            ocpus: 1
            memoryInGBs: 16

    A shape whose name ends with .Flex needs the number of OCPUs and the memory; others have theirs.
    """

    data_science_job: DataScienceJobInfrastructure = Field(
        description=(
            "OCI Data Science: each run has a virtual machine of its own, which is there for as "
            "long as the run."
        )
    )
