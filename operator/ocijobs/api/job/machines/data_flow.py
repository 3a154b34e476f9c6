"""Infrastructure of OCI Data Flow: the machines that Spark runs on, and how.

Rules from the Data Flow API (`CreateApplicationDetails`) and from ADS: driver and executors have shapes of one family,
a shape configuration goes with a flexible shape and only with it, an idle time-out is of a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.job.machines.shape import ShapeName
from ocijobs.api.shared.model import BucketUri, Model, Ocid, validations

SparkVersion = Annotated[str, Field(max_length=32, pattern=r"^[0-9]+\.[0-9]+(\.[0-9]+)?$")]
Executors = Annotated[int, Field(ge=1, le=1000)]
SparkConfiguration = Annotated[
    Mapping[
        Annotated[str, Field(min_length=1, max_length=256)], Annotated[str, Field(max_length=4096)]
    ],
    Field(max_length=128),
]

OWN_PROPERTIES = ("spark.driverEnv.", "spark.executorEnv.")
"""Beginnings of properties that spec.env sets."""

SERVICE_PROPERTIES = ("spark.master", "spark.submit.deployMode", "spark.kubernetes.")
"""Beginnings of properties that Data Flow sets by itself."""


def _none_begins(beginnings: tuple[str, ...]) -> str:
    unlike = " && ".join(f"!k.startsWith('{beginning}')" for beginning in beginnings)
    return f"!has(self.sparkConfiguration) || self.sparkConfiguration.all(k, {unlike})"


CONFIGURATION_RULES = (
    (
        _none_begins(OWN_PROPERTIES),
        "variables of driver and executors are those of spec.env: leave spark.driverEnv and spark.executorEnv out",
    ),
    (
        _none_begins(SERVICE_PROPERTIES),
        "spark.master, spark.submit.deployMode and spark.kubernetes are set by Data Flow: leave them out",
    ),
)
"""What a Spark configuration must not have, of a job and of a run."""


def sized_shape(shape: str) -> tuple[str, str]:
    """Return the rule that a shape and its size go together; the shape may be left out."""
    flexible = f"has(self.{shape}) && self.{shape}.endsWith('.Flex')"
    return (
        f"({flexible}) == has(self.{shape}Config)",
        f"{shape}Config is needed with a shape whose name ends with .Flex, and only with it",
    )


def one_family() -> tuple[str, str]:
    """Return the rule that the two shapes are of one family: `VM.Standard.E4.Flex` is of Standard.E4."""

    def family(shape: str) -> str:
        return f"self.{shape}.substring(0, self.{shape}.lastIndexOf('.'))"

    return (
        (
            "!has(self.driverShape) || !has(self.executorShape) || !self.driverShape.contains('.') || "
            "!self.executorShape.contains('.') || "
            f"{family('driverShape')} == {family('executorShape')}"
        ),
        "driverShape and executorShape must be of one family, such as VM.Standard.E4",
    )


class ShapeConfig(Model):
    """Size of a driver or an executor with a flexible shape."""

    ocpus: Annotated[float, Field(gt=0, le=1024)] = Field(
        description="Number of OCPUs (a physical core each)."
    )
    memory_in_gbs: Annotated[float, Field(gt=0, le=65536)] = Field(
        alias="memoryInGBs", description="Memory in gigabytes."
    )


class SparkLanguage(StrEnum):
    """Language of an application."""

    PYTHON = "PYTHON"
    SCALA = "SCALA"
    JAVA = "JAVA"
    SQL = "SQL"


class ApplicationType(StrEnum):
    """How long runs of an application last."""

    BATCH = "BATCH"
    STREAMING = "STREAMING"
    SESSION = "SESSION"

    @property
    def goes_on(self) -> bool:
        """Whether runs have no end of their own."""
        return self is not ApplicationType.BATCH


class ApplicationLogConfig(Model):
    """A log of OCI Logging that also gets the output of runs."""

    log_group_id: Ocid = Field(description="Log group.")
    log_id: Ocid = Field(description="Log of the group.")


class DynamicAllocation(Model):
    """Executors that are added and removed with the work (Spark's dynamic allocation)."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "self.minExecutors <= self.maxExecutors",
                "minExecutors must not be more than maxExecutors",
            )
        )
    )

    min_executors: Executors = Field(description="Number of executors that are always there.")
    max_executors: Executors = Field(description="Highest number of executors at a time.")


class RunPlaces(Model):
    """What runs have beside their machines. Status keeps it for later attempts, since a run is sent it as it was."""

    pool_id: Ocid | None = Field(default=None, description="Pool whose machines the runs use.")
    metastore_id: Ocid | None = Field(default=None, description="Metastore of Data Catalog.")
    warehouse_bucket_uri: BucketUri | None = Field(
        default=None, description="Where Spark puts tables: oci://bucket@namespace/prefix."
    )
    logs_bucket_uri: BucketUri | None = Field(
        default=None,
        description="Where Data Flow puts the logs of runs; by default its own bucket `dataflow-logs`.",
    )
    application_log_config: ApplicationLogConfig | None = Field(
        default=None, description="A log of OCI Logging that also gets the output of runs."
    )
    idle_timeout_in_minutes: Annotated[int, Field(ge=1, le=43200)] | None = Field(
        default=None,
        description=(
            "A session ends when it has had no statement for this many minutes; 2,880 (two days) by "
            "default."
        ),
    )


class SparkOnMachines(Model):
    """Machines, and the Spark on them."""

    spark_version: SparkVersion = Field(description="Version of Spark, such as 3.5.0.")
    type: ApplicationType = Field(
        default=ApplicationType.BATCH,
        description=(
            "BATCH: a run ends when its code ends. STREAMING: a run has no end of its own, and is "
            "Ready while it runs. SESSION: a run waits for statements, which another client sends."
        ),
    )
    language: SparkLanguage = Field(
        default=SparkLanguage.PYTHON, description="Language of the code."
    )
    driver_shape: ShapeName = Field(
        description="Compute shape of the driver, such as VM.Standard.E4.Flex."
    )
    driver_shape_config: ShapeConfig | None = Field(
        default=None,
        description="Size of the driver: required for a flexible shape, not allowed for others.",
    )
    executor_shape: ShapeName | None = Field(
        default=None,
        description=(
            "Compute shape of each executor, of the same family as the driver's; by default the "
            "driver's shape."
        ),
    )
    executor_shape_config: ShapeConfig | None = Field(
        default=None, description="Size of each executor: required for a flexible executorShape."
    )
    num_executors: Executors = Field(
        default=1,
        description="Number of executors. With dynamicAllocation, the number at the beginning.",
    )
    dynamic_allocation: DynamicAllocation | None = Field(
        default=None, description="Executors that are added and removed with the work."
    )
    spark_configuration: SparkConfiguration = Field(
        default_factory=dict,
        description=(
            "Properties of Spark and of Data Flow. The default of `dataflow.auth` is "
            "`resource_principal`: runs then have rights of their own, and may take as long as 30 "
            "days."
        ),
    )


class DataFlowInfrastructure(RunPlaces, SparkOnMachines):
    """Machines of OCI Data Flow, and the Spark on them."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            sized_shape("driverShape"),
            (
                "!has(self.executorShapeConfig) || has(self.executorShape)",
                "executorShapeConfig goes with executorShape",
            ),
            (
                (
                    "!has(self.executorShape) || self.executorShape.endsWith('.Flex') == "
                    "has(self.executorShapeConfig)"
                ),
                "executorShapeConfig is needed with a shape whose name ends with .Flex, and only with it",
            ),
            one_family(),
            *CONFIGURATION_RULES,
            ("!(has(self.poolId) && has(self.poolName))", "give poolId or poolName, not both"),
            (
                "!has(self.idleTimeoutInMinutes) || self.type == 'SESSION'",
                "idleTimeoutInMinutes needs type SESSION",
            ),
        )
    )

    pool_name: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        default=None, description="The pool by its name in the job's compartment."
    )
    private_endpoint_id: Ocid | None = Field(
        default=None, description="Private endpoint through which runs reach one of your networks."
    )
    artifact_bucket_uri: BucketUri | None = Field(
        default=None,
        description=(
            "Where the operator puts the code: oci://bucket@namespace/prefix; by default that of the "
            "identity. Each state of the code is an object of its own, which is never overwritten."
        ),
    )
