"""What is sent to Data Flow, as data. `cloud/data_flow_models.py` makes the SDK's models of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from ocijobs.api.job.machines.data_flow import ApplicationType, SparkLanguage
from ocijobs.backends.oci_fields import OciField, Unset
from ocijobs.backends.records import LogAddress
from ocijobs.backends.requests import Tags

FLOW = "infrastructure.dataFlow"
"""Where the spec has machines and the rest that Spark runs on."""

SPARK = "runtime.spark"
"""Where the spec has the code."""


def _size(name: str) -> OciField:
    size = f"driverShapeConfig.{name}"
    return OciField(spec=f"{FLOW}.{size}", oci=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkMachine:
    """Shape of a driver or an executor; the size is of a flexible one.

    The fields that are declared are the driver's. Executors have the same ones (`documents.of_executor`).
    """

    shape: Annotated[
        str,
        OciField(spec=f"{FLOW}.driverShape", oci="driverShape"),
    ]
    ocpus: Annotated[float | None, _size("ocpus")] = None
    memory_in_gbs: Annotated[float | None, _size("memoryInGBs")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkSettings:
    """What an application says of its runs that a run may be sent instead.

    Data Flow takes each field whole: a configuration replaces a configuration. What is None is left as it is. The
    configuration has the variables in it, which may be secret: it is not in `repr`.
    """

    driver: SparkMachine
    executor: SparkMachine
    num_executors: Annotated[
        int, OciField(spec=f"{FLOW}.numExecutors", ads="infrastructure.numExecutors")
    ]
    configuration: Annotated[
        Mapping[str, str] | None,
        OciField(spec=f"{FLOW}.sparkConfiguration"),
    ] = field(repr=False)
    parameters: Annotated[Mapping[str, str] | None, OciField(spec=f"{SPARK}.parameters")]
    arguments: Annotated[tuple[str, ...] | None, OciField(spec="args")] = field(repr=False)
    archive_uri: Annotated[str | None, OciField(spec=f"{SPARK}.archiveUri")] = None
    logs_bucket_uri: Annotated[
        str | None, OciField(spec=f"{FLOW}.logsBucketUri", ads="infrastructure.logsBucketUri")
    ] = None
    warehouse_bucket_uri: Annotated[
        str | None,
        OciField(spec=f"{FLOW}.warehouseBucketUri", ads="infrastructure.warehouseBucketUri"),
    ] = None
    metastore_id: Annotated[
        str | None, OciField(spec=f"{FLOW}.metastoreId", ads="infrastructure.metastoreId")
    ] = None
    pool_id: Annotated[str | None, OciField(spec=f"{FLOW}.poolId", ads="infrastructure.poolId")] = (
        None
    )
    log: Annotated[
        LogAddress | None,
        OciField(spec=f"{FLOW}.applicationLogConfig", oci="applicationLogConfig"),
    ] = None
    max_duration_in_minutes: Annotated[
        int | None,
        OciField(spec="maximumRuntimeInMinutes", ads="runtime.maximumRuntimeInMinutes"),
    ] = None
    idle_timeout_in_minutes: Annotated[
        int | None, OciField(spec=f"{FLOW}.idleTimeoutInMinutes")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationCode:
    """What an application says of its runs that no run can be sent instead (CreateRunDetails).

    Each is of one revision, so it changes only where others have changed it. `file_uri` is None of a session.
    """

    language: Annotated[
        SparkLanguage, OciField(spec=f"{FLOW}.language", ads="infrastructure.language")
    ]
    spark_version: Annotated[str, OciField(spec=f"{FLOW}.sparkVersion")]
    file_uri: Annotated[str | None, OciField(spec=f"{SPARK}.source")]
    class_name: Annotated[str | None, OciField(spec=f"{SPARK}.className")]
    private_endpoint_id: Annotated[
        str | None,
        OciField(spec=f"{FLOW}.privateEndpointId", ads="infrastructure.privateEndpointId"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSettings:
    """UpdateApplicationDetails: all that Data Flow changes in place."""

    display_name: Annotated[str, OciField(spec="displayName")]
    description: Annotated[str | None, OciField(spec="description", absence_counts=True)]
    tags: Tags
    code: ApplicationCode
    spark: SparkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRequest:
    """CreateApplicationDetails."""

    compartment_id: Annotated[
        str, OciField(spec="compartmentId", ads="infrastructure.compartmentId")
    ]
    type: Annotated[ApplicationType, OciField(spec=f"{FLOW}.type")]
    settings: ApplicationSettings

    @property
    def project_id(self) -> str | None:
        """None: applications are in no project."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRunRequest:
    """CreateRunDetails of an application's run; without `spark` all is as the application has it."""

    compartment_id: Annotated[str, OciField(spec=Unset("The job's."))]
    job_id: Annotated[str, OciField(spec="jobRef", oci="applicationId")]
    display_name: Annotated[str, OciField(spec="displayName")]
    tags: Tags
    spark: SparkSettings | None
