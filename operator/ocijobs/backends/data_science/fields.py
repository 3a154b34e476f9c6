"""What a job on Data Science is made of, by the fields of the manifest: for telling where two are not alike."""

from __future__ import annotations

from collections.abc import Iterator

from ocijobs.api.job.machines.shape import CpuBaseline, JobShapeConfigDetails
from ocijobs.backends.data_science.compute import Compute, ComputeCluster, Mount
from ocijobs.backends.data_science.requests import (
    ContainerEnvironment,
    JobConfiguration,
    JobRequest,
    JobSettings,
    MultiNode,
    SingleNode,
)

_COMPUTE = "infrastructure.dataScienceJob"
_NOTHING = "-"


def setting_fields(settings: JobSettings) -> Iterator[tuple[str, object]]:
    """Yield what is changed in place, beside name, text and tags."""
    match settings.infrastructure:
        case Compute() as compute:
            yield f"{_COMPUTE}.shapeName", compute.shape_name
            yield from _size(compute.size)
            yield f"{_COMPUTE}.blockStorageSizeInGBs", compute.block_storage_size_in_gbs
            # An address that is given or not is another type of networking.
            yield f"{_COMPUTE}.subnetId", compute.subnet_id or _NOTHING
            yield f"{_COMPUTE}.capacityReservationId", compute.capacity_reservation_id
        case ComputeCluster(target=target):
            yield f"{_COMPUTE}.computeTarget", target.document()
    yield f"{_COMPUTE}.storageMounts", tuple(_mount(mount) for mount in settings.storage_mounts)


def _size(size: JobShapeConfigDetails | None) -> Iterator[tuple[str, object]]:
    where = f"{_COMPUTE}.jobShapeConfigDetails"
    if size is not None:
        yield f"{where}.ocpus", size.ocpus
        yield f"{where}.memoryInGBs", size.memory_in_gbs
        yield f"{where}.cpuBaseline", (size.cpu_baseline or CpuBaseline.BASELINE_1_1).value


def _mount(mount: Mount) -> str:
    source = " ".join(str(value) for value in mount.source.document().values())
    return f"{source} at {(mount.path or '/mnt').rstrip('/')}/{mount.directory_name}"


def fixed_fields(request: JobRequest) -> Iterator[tuple[str, object]]:
    """Yield the log, and what runs start."""
    log = request.log
    yield f"{_COMPUTE}.logging.logGroupId", log.log_group_id if log is not None else None
    yield f"{_COMPUTE}.logging.logId", log.log_id if log is not None else None
    workload = request.workload
    if isinstance(workload, SingleNode):
        yield from _configuration("", workload.configuration)
        yield from _container(workload.container)
    else:
        yield from _nodes(workload)


def _nodes(nodes: MultiNode) -> Iterator[tuple[str, object]]:
    yield f"{_COMPUTE}.startupOrder", nodes.startup_order.value
    yield f"{_COMPUTE}.subnetId", nodes.subnet_id
    yield "maximumRuntimeInMinutes", nodes.maximum_runtime_in_minutes
    for group in nodes.groups:
        where = f"{_COMPUTE}.jobNodeGroups[{group.name}]"
        yield f"{where}.replicas", group.replicas
        yield f"{where}.minimumSuccessReplicas", group.minimum_success_replicas
        yield f"{where}.shapeName", group.machine.shape_name
        yield f"{where}.blockStorageSizeInGBs", group.machine.block_storage_size_in_gbs
        yield from _configuration(f"{where}.", group.configuration)
    yield from _container(nodes.groups[0].container if nodes.groups else None)


def _configuration(where: str, configuration: JobConfiguration) -> Iterator[tuple[str, object]]:
    for name, value in configuration.environment_variables.items():
        yield f"{where}env[{name}]", value
    yield f"{where}args", configuration.command_line_arguments
    if not where:
        yield "maximumRuntimeInMinutes", configuration.maximum_runtime_in_minutes
    probe = configuration.startup_probe
    yield f"{where or f'{_COMPUTE}.'}startupProbe", probe.document() if probe is not None else None


def _container(container: ContainerEnvironment | None) -> Iterator[tuple[str, object]]:
    where = "runtime.container"
    if container is not None:
        yield f"{where}.image", container.image
        yield f"{where}.imageDigest", container.image_digest
        yield f"{where}.imageSignatureId", container.image_signature_id
        yield f"{where}.entrypoint", container.entrypoint
        yield f"{where}.cmd", container.cmd
