"""What a run is bound to: the OCIJob as it was at the first launch, so that later attempts are alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from ocijobs.api.job.infrastructure import DataScienceJobInfrastructure
from ocijobs.api.job.machines.data_flow import (
    ApplicationType,
    Executors,
    RunPlaces,
    ShapeConfig,
)
from ocijobs.api.job.machines.shape import ShapeName
from ocijobs.api.job.runtimes.container import ContainerImage
from ocijobs.api.job.runtimes.spark import Parameters
from ocijobs.api.shared.environment import Arguments, EnvVars, ReferencedValue
from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.api.shared.model import (
    ATOMIC_LIST,
    Digest,
    Minutes,
    Model,
    Ocid,
    RegionName,
    ResultNames,
    RevisionName,
)


class BoundContainer(ContainerImage):
    """The container image of a job."""


class BoundApplication(RunPlaces):
    """A Data Flow application, as far as its runs may override it."""

    type: ApplicationType = Field(
        default=ApplicationType.BATCH, description="BATCH, STREAMING or SESSION."
    )
    driver_shape: ShapeName = Field(description="Compute shape of the driver.")
    driver_shape_config: ShapeConfig | None = Field(default=None, description="Its size.")
    executor_shape: ShapeName = Field(description="Compute shape of each executor.")
    executor_shape_config: ShapeConfig | None = Field(default=None, description="Its size.")
    num_executors: Executors = Field(description="Number of executors.")
    configuration: Annotated[
        Mapping[Annotated[str, Field(max_length=256)], Annotated[str, Field(max_length=20480)]],
        Field(max_length=512),
    ] = Field(
        default_factory=dict,
        description="Properties of Spark and of Data Flow, without the variables.",
    )
    parameters: Parameters = Field(
        default=(), description="Values that replace `${name}` in the arguments."
    )
    archive_uri: Annotated[str, Field(max_length=2048)] | None = Field(
        default=None, description="Archive of dependencies."
    )


class RunTemplate(Model):
    """What a job's runs start, and on which machines, as far as a run's request is made from it."""

    infrastructure: DataScienceJobInfrastructure | None = Field(
        default=None, description="The machines, with every group of nodes in full."
    )
    env: EnvVars = Field(default=(), description="The job's variables, as they were written.")
    args: Arguments = Field(default=(), description="The job's arguments, as they were written.")
    command_line_arguments: Annotated[str, Field(max_length=4000)] | None = Field(
        default=None, description="Arguments that OCI has for a job that was made elsewhere."
    )
    maximum_runtime_in_minutes: Minutes | None = Field(
        default=None, description="The job's time limit."
    )
    container: BoundContainer | None = Field(default=None, description="The job's container.")
    application: BoundApplication | None = Field(
        default=None, description="The job's application; only of a Spark job."
    )
    variables: Annotated[
        Mapping[Annotated[str, Field(max_length=256)], Annotated[str, Field(max_length=4096)]],
        Field(max_length=20),
    ] = Field(
        default_factory=dict,
        description="Variables that tell OCI what to start, and in which environment.",
    )
    made_elsewhere: bool | None = Field(
        default=None, description="True if the OCI job has settings that an OCIJob can't express."
    )


class JobBinding(Model):
    """An OCIJob at one time. All runs that are bound to it are launched with it."""

    job_uid: Annotated[str, Field(max_length=128)] | None = Field(
        default=None, description="uid of the OCIJob; absent for an OCI job outside the cluster."
    )
    job_generation: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="metadata.generation of the OCIJob."
    )
    job_id: Ocid | None = Field(default=None, description="OCID of the OCI job.")
    revision: RevisionName | None = Field(default=None, description="Revision of the OCIJob.")
    identity: IdentityReference | None = Field(default=None, description="Who calls OCI.")
    region: RegionName | None = Field(default=None, description="Region of the calls.")
    compartment_id: Ocid | None = Field(default=None, description="Compartment of the run.")
    project_id: Ocid | None = Field(default=None, description="Project of the run.")
    artifact_sha256: Digest | None = Field(
        default=None, description="SHA-256 of the job's artifact."
    )
    outputs_uri_template: Annotated[str, Field(max_length=2048)] | None = Field(
        default=None, description="The job's outputs.uri, as it was written."
    )
    results: ResultNames | None = Field(
        default=None, description="Names of the results that the run has to report."
    )
    template: RunTemplate | None = Field(
        default=None, description="What the job's runs start, and on which machines."
    )


class Binding(JobBinding):
    """What a run was launched with."""

    shape_name: Annotated[str, Field(max_length=255)] | None = Field(
        default=None,
        description="Compute shape; of the first group if there are several.",
    )
    ocpus: float | None = Field(default=None, description="OCPUs of a flexible shape.")
    memory_in_gbs: float | None = Field(
        default=None, alias="memoryInGBs", description="Memory of a flexible shape in gigabytes."
    )
    block_storage_size_in_gbs: int | None = Field(
        default=None, alias="blockStorageSizeInGBs", description="Block storage in gigabytes."
    )
    nodes: int | None = Field(
        default=None, description="Number of nodes, if the run is on several."
    )
    compute_target_id: Ocid | None = Field(
        default=None, description="Managed compute cluster that the run uses."
    )
    values: Annotated[
        tuple[ReferencedValue, ...], Field(max_length=200, json_schema_extra=ATOMIC_LIST)
    ] = Field(
        default=(), description="Secrets and ConfigMaps that gave values to environment variables."
    )
    outputs_uri: Annotated[str, Field(max_length=2048)] | None = Field(
        default=None, description="Where outputs go. $(JOB_RUN_OCID) is not replaced yet."
    )
