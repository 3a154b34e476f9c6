"""What is sent to Data Science, as data. `cloud/data_science_models.py` makes the SDK's models of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from ocijobs.api.job.machines.node_group import StartupOrder
from ocijobs.api.job.machines.startup_probe import StartupProbe
from ocijobs.backends.data_science.machines import (
    MACHINES,
    Compute,
    ComputeCluster,
    Mount,
    NodeMachine,
)
from ocijobs.backends.oci_fields import OciField, Unset
from ocijobs.backends.requests import Tags

GROUPS = f"{MACHINES}.jobNodeGroups"
"""Where the spec has groups of nodes."""

CONTAINER = "runtime.container"
"""Where the spec has a container."""

_TIME_LIMIT = OciField(spec="maximumRuntimeInMinutes", ads="runtime.maximumRuntimeInMinutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfiguration:
    """DefaultJobConfigurationDetails: what the code is started with.

    OCI takes the block whole, so it is always sent complete. Values may be secret: they are not in `repr`.
    """

    environment_variables: Annotated[Mapping[str, str], OciField(spec="env", secret=True)] = field(
        repr=False
    )
    command_line_arguments: Annotated[str | None, OciField(spec="args")] = field(repr=False)
    maximum_runtime_in_minutes: Annotated[int | None, _TIME_LIMIT]
    startup_probe: Annotated[
        StartupProbe | None,
        OciField(
            spec=f"{MACHINES}.startupProbe",
            oci="startupProbeDetails",
            kind=("jobProbeCheckType", "EXEC"),
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEnvironment:
    """OcirContainerJobEnvironmentConfigurationDetails: the image that is started instead of an artifact."""

    image: Annotated[str, OciField(spec=f"{CONTAINER}.image", ads="runtime.image")]
    image_digest: Annotated[
        str | None, OciField(spec=f"{CONTAINER}.imageDigest", ads="runtime.imageDigest")
    ] = None
    image_signature_id: Annotated[
        str | None,
        OciField(spec=f"{CONTAINER}.imageSignatureId", ads="runtime.imageSignatureId"),
    ] = None
    entrypoint: Annotated[tuple[str, ...], OciField(spec=f"{CONTAINER}.entrypoint")] = ()
    cmd: Annotated[tuple[str, ...], OciField(spec=f"{CONTAINER}.cmd")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleNode:
    """What a run on one machine starts."""

    configuration: JobConfiguration
    container: ContainerEnvironment | None = None

    @property
    def configurations(self) -> tuple[JobConfiguration, ...]:
        """What is started, on any node."""
        return (self.configuration,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroup:
    """JobNodeGroupConfigurationDetails: nodes that are alike, and what they start."""

    name: Annotated[str, OciField(spec=f"{GROUPS}.name")]
    replicas: Annotated[int, OciField(spec=f"{GROUPS}.replicas")]
    minimum_success_replicas: Annotated[int, OciField(spec=f"{GROUPS}.minimumSuccessReplicas")]
    machine: NodeMachine
    configuration: JobConfiguration
    container: ContainerEnvironment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiNode:
    """MultiNodeJobNodeConfigurationDetails: what a run on several machines starts, and on which."""

    groups: tuple[NodeGroup, ...]
    startup_order: Annotated[StartupOrder, OciField(spec=f"{MACHINES}.startupOrder")]
    maximum_runtime_in_minutes: Annotated[int | None, _TIME_LIMIT]
    subnet_id: Annotated[
        str | None,
        OciField(spec=f"{MACHINES}.subnetId", oci="jobNetworkConfiguration.subnetId"),
    ]

    @property
    def configurations(self) -> tuple[JobConfiguration, ...]:
        """What is started, on any node."""
        return tuple(group.configuration for group in self.groups)


Workload = SingleNode | MultiNode


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfiguration:
    """JobLogConfigurationDetails of a job whose output is kept: a given log, or one made for each run."""

    log_group_id: Annotated[
        str, OciField(spec=f"{MACHINES}.logging.logGroupId", ads="infrastructure.logGroupId")
    ]
    log_id: Annotated[
        str | None, OciField(spec=f"{MACHINES}.logging.logId", ads="infrastructure.logId")
    ]


@dataclass(frozen=True, slots=True)
class NoLog:
    """JobLogConfigurationDetails of a run whose output is not kept, though its job's is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What UpdateJobDetails can change in place. A job of several nodes has no infrastructure of its own."""

    display_name: Annotated[str, OciField(spec="displayName")]
    description: Annotated[str | None, OciField(spec="description", absence_counts=True)]
    infrastructure: Compute | ComputeCluster | None
    tags: Tags
    storage_mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """CreateJobDetails."""

    project_id: Annotated[str, OciField(spec="projectId", ads="infrastructure.projectId")]
    compartment_id: Annotated[
        str, OciField(spec="compartmentId", ads="infrastructure.compartmentId")
    ]
    settings: JobSettings
    workload: Workload
    log: LogConfiguration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """CreateJobRunDetails. What is None the run takes as the job has it."""

    compartment_id: Annotated[str, OciField(spec=Unset("The job's."))]
    project_id: Annotated[str, OciField(spec=Unset("The job's."))]
    job_id: Annotated[str, OciField(spec="jobRef")]
    display_name: Annotated[str, OciField(spec="displayName")]
    tags: Tags
    workload: Workload | None
    infrastructure: Compute | ComputeCluster | None = None
    log: LogConfiguration | NoLog | None = None
