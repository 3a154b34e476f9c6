"""Requests to Data Science as the JSON of its API, and a Job's JSON as the request that would make the same job.

How blocks are nested, and by what the API tells their types apart. Their fields are declared in `requests` and in
`compute`. Source: the Data Science API 20190101, CreateJobDetails and the models that it names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ocijobs.api.job.machines.node_group import StartupOrder
from ocijobs.api.job.machines.storage_mount import FileStorageMount, ObjectStorageMount
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, Mount, NodeMachine
from ocijobs.backends.data_science.requests import (
    ContainerEnvironment,
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
    MultiNode,
    NodeGroup,
    NoLog,
    RunRequest,
    SingleNode,
    Workload,
)
from ocijobs.backends.documents import Document, at, decoded, encoded
from ocijobs.backends.oci_fields import UnknownTypeError
from ocijobs.backends.requests import Tags

T = TypeVar("T")

_INFRASTRUCTURE = "jobInfrastructureConfigurationDetails"
_MOUNTS = "jobStorageMountConfigurationDetailsList"
_NODES = "jobNodeConfigurationDetails"
_GROUPS = "jobNodeGroupConfigurationDetailsList"
_LOG = "jobLogConfigurationDetails"


def job_document(request: JobRequest) -> Document:
    """Return CreateJobDetails."""
    return {
        **encoded(request),
        **_settings(request.settings),
        **_workload(request.workload),
        _LOG: _log(request.log),
    }


def job_update_document(settings: JobSettings) -> Document:
    """Return UpdateJobDetails: all that it can change, so that what was removed goes."""
    return {**_settings(settings), "description": settings.description or ""}


def run_document(request: RunRequest) -> Document:
    """Return CreateJobRunDetails. A block that overrides the job's is sent whole, or not at all."""
    workload = _workload(request.workload) if request.workload is not None else {}
    blocks = {**workload, _INFRASTRUCTURE: _infrastructure(request.infrastructure)}
    if request.log is not None:
        blocks[_LOG] = _log(request.log)
    overrides = {
        name.replace("Details", "OverrideDetails"): block for name, block in blocks.items()
    }
    return {**encoded(request), **encoded(request.tags), **overrides}


def _settings(settings: JobSettings) -> Document:
    """Return the settings with all mounts, an empty list included: an update without it would leave what is there."""
    return {
        **encoded(settings),
        **encoded(settings.tags),
        _INFRASTRUCTURE: _infrastructure(settings.infrastructure),
        _MOUNTS: [_mount(mount) for mount in settings.storage_mounts],
    }


def _workload(workload: Workload) -> Document:
    """Return what a run starts in the blocks that hold it: of one node, or of groups of nodes, which hold it all."""
    if isinstance(workload, SingleNode):
        return _started(workload)
    network = "DEFAULT_NETWORK" if workload.subnet_id is None else "CUSTOM_NETWORK"
    nodes = encoded(workload)
    given = at(nodes, "jobNetworkConfiguration")
    subnet = given if isinstance(given, dict) else {}
    return {
        _NODES: {
            "jobNodeType": "MULTI_NODE",
            **nodes,
            "jobNetworkConfiguration": {"jobNetworkType": network, **subnet},
            _GROUPS: [_group(group) for group in workload.groups],
        }
    }


def _started(started: SingleNode | NodeGroup) -> Document:
    container = started.container
    return {
        "jobConfigurationDetails": {"jobType": "DEFAULT", **encoded(started.configuration)},
        "jobEnvironmentConfigurationDetails": (
            {"jobEnvironmentType": "OCIR_CONTAINER", **encoded(container)}
            if container is not None
            else None
        ),
    }


def _group(group: NodeGroup) -> Document:
    machine = {"jobInfrastructureType": "MULTI_NODE", **encoded(group.machine)}
    return {**encoded(group), _INFRASTRUCTURE: machine, **_started(group)}


def _infrastructure(compute: Compute | ComputeCluster | None) -> Document | None:
    """Return custom networking where there is a subnet, managed egress where there is none."""
    if compute is None:
        return None
    kind = "MANAGED_COMPUTE_CLUSTER"
    if isinstance(compute, Compute):
        kind = "ME_STANDALONE" if compute.subnet_id is None else "STANDALONE"
    return {"jobInfrastructureType": kind, **encoded(compute)}


def _mount(mount: Mount) -> Document:
    bucket = isinstance(mount.source, ObjectStorageMount)
    kind = "OBJECT_STORAGE" if bucket else "FILE_STORAGE"
    return {"storageType": kind, **mount.source.document(), **encoded(mount)}


def _log(log: LogConfiguration | NoLog | None) -> Document:
    if log is None or isinstance(log, NoLog):
        return {"enableLogging": False}
    automatic = log.log_id is None
    return {"enableLogging": True, "enableAutoLogCreation": automatic, **encoded(log)}


def job_request_of(job: object) -> JobRequest:
    """Return the request that would make a Job.

    Raises:
        UnknownTypeError: if a part of it is of a type that came after this operator.
        ValueError: if a value in it is.
    """
    mounts = at(job, _MOUNTS)
    settings = decoded(
        JobSettings,
        job,
        tags=decoded(Tags, job),
        infrastructure=_infrastructure_of(at(job, _INFRASTRUCTURE)),
        storage_mounts=_each(mounts, _mount_of),
    )
    return decoded(
        JobRequest, job, settings=settings, workload=_workload_of(job), log=_log_of(at(job, _LOG))
    )


def _each(items: object, read: Callable[[object], T]) -> tuple[T, ...]:
    return tuple(read(item) for item in items) if isinstance(items, list) else ()


def _workload_of(job: object) -> Workload:
    nodes = at(job, _NODES)
    if nodes is None:
        return SingleNode(configuration=_configuration_of(job), container=_container_of(job))
    return decoded(
        MultiNode,
        nodes,
        groups=_each(at(nodes, _GROUPS), _group_of),
        startup_order=StartupOrder(str(at(nodes, "startupOrder") or StartupOrder.IN_PARALLEL)),
    )


def _group_of(group: object) -> NodeGroup:
    replicas = at(group, "replicas") or 1
    return decoded(
        NodeGroup,
        group,
        replicas=replicas,
        minimum_success_replicas=at(group, "minimumSuccessReplicas") or replicas,
        machine=_machine_of(NodeMachine, at(group, _INFRASTRUCTURE)),
        configuration=_configuration_of(group),
        container=_container_of(group),
    )


def _configuration_of(started: object) -> JobConfiguration:
    """Return the configuration; one of type EMPTY has nothing."""
    return decoded(JobConfiguration, at(started, "jobConfigurationDetails"))


def _container_of(started: object) -> ContainerEnvironment | None:
    details = at(started, "jobEnvironmentConfigurationDetails")
    return decoded(ContainerEnvironment, details) if details is not None else None


def _infrastructure_of(details: object) -> Compute | ComputeCluster | None:
    match at(details, "jobInfrastructureType"):
        case "STANDALONE" | "ME_STANDALONE":
            return _machine_of(Compute, details)
        case "MANAGED_COMPUTE_CLUSTER":
            return decoded(ComputeCluster, details)
        case None | "EMPTY" | "MULTI_NODE":
            return None
        case other:
            raise UnknownTypeError(f"infrastructure of type {other}")


def _machine_of(machine: Callable[..., T], details: object) -> T:
    """Return a machine. A shape that is not flexible has no size, whatever else OCI says of it."""
    if at(details, "jobShapeConfigDetails.ocpus") is None:
        return decoded(machine, details, size=None)
    return decoded(machine, details)


def _mount_of(details: object) -> Mount:
    source: type[ObjectStorageMount | FileStorageMount]
    match at(details, "storageType"):
        case "OBJECT_STORAGE":
            source = ObjectStorageMount
        case "FILE_STORAGE":
            source = FileStorageMount
        case other:
            raise UnknownTypeError(f"a storage mount of type {other}")
    return decoded(Mount, details, source=source.model_validate(details))


def _log_of(details: object) -> LogConfiguration | None:
    if not at(details, "enableLogging") or at(details, "logGroupId") is None:
        return None
    return decoded(LogConfiguration, details)
