"""Where an OCI job is not as the manifest says, field by field.

Only what the manifest says counts: what OCI fills in by itself, and what others added, is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ocijobs.api.job.machines.shape import CpuBaseline, JobShapeConfigDetails
from ocijobs.api.job.status import Difference
from ocijobs.api.shared.names import TAG_NAME, TAG_OWNER
from ocijobs.backends.data_flow.fields import code_fields, spark_fields
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, Mount
from ocijobs.backends.requests import (
    ApplicationSettings,
    ContainerEnvironment,
    JobChange,
    JobConfiguration,
    JobCreation,
    JobRequest,
    MultiNode,
    SingleNode,
    Tags,
)

_LISTED = 32
_SHOWN = 256
_COMPUTE = "infrastructure.dataScienceJob"
_NOTHING = "-"
_ANOTHER = "another value"
"""Stands for the value of a variable that OCI has: it may be a secret of whoever made the job."""


def setting_differences(wanted: JobChange, found: JobChange) -> tuple[Difference, ...]:
    """Return the differences of what OCI changes in place."""
    return _compare(dict(_settings(wanted)), dict(_settings(found)), exact=False)


def all_differences(wanted: JobCreation, found: JobCreation) -> tuple[Difference, ...]:
    """Return the differences of everything but the code; of variables also those that only OCI has."""
    settings = setting_differences(wanted.settings, found.settings)
    workload = _compare(dict(_workload(wanted)), dict(_workload(found)), exact=True)
    return (*settings, *workload)[:_LISTED]


def _compare(
    wanted: Mapping[str, Any], found: Mapping[str, Any], *, exact: bool
) -> tuple[Difference, ...]:
    names = [*wanted, *(name for name in found if exact and name not in wanted)]
    return tuple(
        Difference(
            field=name[:253],
            wanted=_text(wanted.get(name)),
            found=_ANOTHER if "env[" in name and name in found else _text(found.get(name)),
        )
        for name in names
        if _normal(wanted.get(name)) != _normal(found.get(name))
        and (exact or wanted.get(name) is not None)
    )[:_LISTED]


def _normal(value: Any) -> Any:
    return None if value in ("", (), {}) else value


def _text(value: Any) -> str:
    return _NOTHING if _normal(value) is None else str(value)[:_SHOWN]


def _tags(tags: Tags) -> Iterator[tuple[str, Any]]:
    for key, value in tags.freeform.items():
        if key not in {TAG_OWNER, TAG_NAME}:
            yield f"freeformTags[{key}]", value
    for namespace, given in tags.defined.items():
        for key, tag in given.items():
            yield f"definedTags[{namespace}][{key}]", str(tag)


def _settings(settings: JobChange) -> Iterator[tuple[str, Any]]:
    yield "displayName", settings.display_name
    yield "description", settings.description or ""
    yield from _tags(settings.tags)
    if isinstance(settings, ApplicationSettings):
        yield from code_fields(settings.code)
        yield from spark_fields(settings.spark)
        return
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


def _size(size: JobShapeConfigDetails | None) -> Iterator[tuple[str, Any]]:
    where = f"{_COMPUTE}.jobShapeConfigDetails"
    if size is not None:
        yield f"{where}.ocpus", size.ocpus
        yield f"{where}.memoryInGBs", size.memory_in_gbs
        yield f"{where}.cpuBaseline", (size.cpu_baseline or CpuBaseline.BASELINE_1_1).value


def _mount(mount: Mount) -> str:
    source = " ".join(str(value) for value in mount.source.document().values())
    return f"{source} at {(mount.path or '/mnt').rstrip('/')}/{mount.directory_name}"


def _workload(request: JobCreation) -> Iterator[tuple[str, Any]]:
    if not isinstance(request, JobRequest):
        yield "infrastructure.dataFlow.type", request.type.value
        return
    log = request.log
    yield f"{_COMPUTE}.logging.logGroupId", log.log_group_id if log is not None else None
    yield f"{_COMPUTE}.logging.logId", log.log_id if log is not None else None
    workload = request.workload
    if isinstance(workload, SingleNode):
        yield from _configuration("", workload.configuration)
        yield from _container(workload.container)
    else:
        yield from _nodes(workload)


def _nodes(nodes: MultiNode) -> Iterator[tuple[str, Any]]:
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


def _configuration(where: str, configuration: JobConfiguration) -> Iterator[tuple[str, Any]]:
    for name, value in configuration.environment_variables.items():
        yield f"{where}env[{name}]", value
    yield f"{where}args", configuration.command_line_arguments
    if not where:
        yield "maximumRuntimeInMinutes", configuration.maximum_runtime_in_minutes
    probe = configuration.startup_probe
    yield f"{where or f'{_COMPUTE}.'}startupProbe", probe.document() if probe is not None else None


def _container(container: ContainerEnvironment | None) -> Iterator[tuple[str, Any]]:
    where = "runtime.container"
    if container is not None:
        yield f"{where}.image", container.image
        yield f"{where}.imageDigest", container.image_digest
        yield f"{where}.imageSignatureId", container.image_signature_id
        yield f"{where}.entrypoint", container.entrypoint
        yield f"{where}.cmd", container.cmd
