"""What is sent to Data Science, as data. `cloud/data_science_models.py` makes the SDK's models of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocijobs.api.job.machines.compute_target import ComputeTarget
from ocijobs.api.job.machines.node_group import StartupOrder
from ocijobs.api.job.machines.shape import JobShapeConfigDetails
from ocijobs.api.job.machines.startup_probe import StartupProbe
from ocijobs.api.job.machines.storage_mount import FileStorageMount, ObjectStorageMount
from ocijobs.backends.requests import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """One machine a run: STANDALONE with a subnet, ME_STANDALONE (managed egress) without."""

    shape_name: str
    size: JobShapeConfigDetails | None
    block_storage_size_in_gbs: int
    subnet_id: str | None = None
    capacity_reservation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeCluster:
    """A managed compute cluster: MANAGED_COMPUTE_CLUSTER."""

    target: ComputeTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMachine:
    """The machine of each node of a group: MULTI_NODE."""

    shape_name: str
    size: JobShapeConfigDetails | None
    block_storage_size_in_gbs: int
    capacity_reservation_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Storage that is mounted in a run."""

    source: ObjectStorageMount | FileStorageMount
    directory_name: str
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfiguration:
    """DefaultJobConfigurationDetails: what the code is started with.

    OCI takes the block whole, so it is always sent complete. Values may be secret: they are not in `repr`.
    """

    environment_variables: Mapping[str, str] = field(repr=False)
    command_line_arguments: str | None = field(repr=False)
    maximum_runtime_in_minutes: int | None
    startup_probe: StartupProbe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEnvironment:
    """OcirContainerJobEnvironmentConfigurationDetails: the image that is started instead of an artifact."""

    image: str
    image_digest: str | None = None
    image_signature_id: str | None = None
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()


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

    name: str
    replicas: int
    minimum_success_replicas: int
    machine: NodeMachine
    configuration: JobConfiguration
    container: ContainerEnvironment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiNode:
    """MultiNodeJobNodeConfigurationDetails: what a run on several machines starts, and on which."""

    groups: tuple[NodeGroup, ...]
    startup_order: StartupOrder
    maximum_runtime_in_minutes: int | None
    subnet_id: str | None

    @property
    def configurations(self) -> tuple[JobConfiguration, ...]:
        """What is started, on any node."""
        return tuple(group.configuration for group in self.groups)


Workload = SingleNode | MultiNode


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfiguration:
    """JobLogConfigurationDetails of a job whose output is kept: a given log, or one made for each run."""

    log_group_id: str
    log_id: str | None


@dataclass(frozen=True, slots=True)
class NoLog:
    """JobLogConfigurationDetails of a run whose output is not kept, though its job's is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What UpdateJobDetails can change in place. A job of several nodes has no infrastructure of its own."""

    display_name: str
    description: str | None
    infrastructure: Compute | ComputeCluster | None
    tags: Tags
    storage_mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """CreateJobDetails."""

    compartment_id: str
    project_id: str
    settings: JobSettings
    workload: Workload
    log: LogConfiguration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """CreateJobRunDetails. What is None the run takes as the job has it."""

    compartment_id: str
    project_id: str
    job_id: str
    display_name: str
    tags: Tags
    workload: Workload | None
    infrastructure: Compute | ComputeCluster | None = None
    log: LogConfiguration | NoLog | None = None
