"""What is sent to OCI, as data: what jobs and runs are made of, on Data Science and on Data Flow.

`cloud/` turns these into the SDK's models; nothing is decided there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ocijobs.api.job.machines.data_flow import ApplicationType, SparkLanguage
from ocijobs.api.job.machines.node_group import StartupOrder
from ocijobs.api.job.machines.startup_probe import StartupProbe
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, Mount, NodeMachine
from ocijobs.backends.records import LogAddress


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
class Tags:
    """Tags of a resource, our own two included."""

    freeform: Mapping[str, str]
    defined: Mapping[str, Mapping[str, str]]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkMachine:
    """Shape of a driver or an executor; the size is of a flexible one."""

    shape: str
    ocpus: float | None = None
    memory_in_gbs: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkSettings:
    """What an application says of its runs that a run may be sent instead.

    Data Flow takes each field whole: a configuration replaces a configuration. What is None is left as it is. The
    configuration has the variables in it, which may be secret: it is not in `repr`.
    """

    driver: SparkMachine
    executor: SparkMachine
    num_executors: int
    configuration: Mapping[str, str] | None = field(repr=False)
    parameters: Mapping[str, str] | None
    arguments: tuple[str, ...] | None = field(repr=False)
    archive_uri: str | None = None
    logs_bucket_uri: str | None = None
    warehouse_bucket_uri: str | None = None
    metastore_id: str | None = None
    pool_id: str | None = None
    log: LogAddress | None = None
    max_duration_in_minutes: int | None = None
    idle_timeout_in_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationCode:
    """What an application says of its runs that no run can be sent instead (CreateRunDetails).

    Each is of one revision, so it changes only where others have changed it. `file_uri` is None of a session.
    """

    language: SparkLanguage
    spark_version: str
    file_uri: str | None
    class_name: str | None
    private_endpoint_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSettings:
    """UpdateApplicationDetails: all that Data Flow changes in place."""

    display_name: str
    description: str | None
    tags: Tags
    code: ApplicationCode
    spark: SparkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRequest:
    """CreateApplicationDetails."""

    compartment_id: str
    type: ApplicationType
    settings: ApplicationSettings

    @property
    def project_id(self) -> str | None:
        """None: applications are in no project."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRunRequest:
    """CreateRunDetails of an application's run; without `spark` all is as the application has it."""

    compartment_id: str
    job_id: str
    display_name: str
    tags: Tags
    spark: SparkSettings | None


JobCreation = JobRequest | ApplicationRequest
"""What makes a job: on Data Science, or an application of Data Flow."""

JobChange = JobSettings | ApplicationSettings
"""What is changed in place."""

RunCreation = RunRequest | ApplicationRunRequest
"""What makes a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """The output of one run: `log` is None while OCI has not told which log it is."""

    run_id: str
    compartment_id: str
    log: LogAddress


class NameKind(StrEnum):
    """What is named."""

    LOG_GROUP = "LogGroup"
    LOG = "Log"
    MOUNT_TARGET = "MountTarget"
    EXPORT = "Export"
    POOL = "Pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedName:
    """A name: of a log group, a log or a pool its display name, of a mount target its address, of an export its path.

    Attributes:
        kind: what is named.
        name: the name.
        within: OCID of the log group that holds the log.
        field: path of the field that has the name, for messages.
    """

    kind: NameKind
    name: str
    within: str = ""
    field: str = field(compare=False)
