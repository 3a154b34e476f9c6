"""The machines of a job's runs and what they mount, as the API takes them: from the spec, every default filled in."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.job.infrastructure import DEFAULT_BLOCK_STORAGE_GBS, DataScienceJobInfrastructure
from ocijobs.api.job.machines.node_group import JobNodeGroup
from ocijobs.api.job.machines.storage_mount import (
    FileStorageMount,
    ObjectStorageMount,
    StorageMount,
)
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.backends.data_science.machines import (
    BELOW_MACHINES,
    MACHINES,
    Compute,
    ComputeCluster,
    Mount,
    NodeMachine,
)
from ocijobs.backends.manifest_fields import asked_for


def compute(spec: OCIJobSpec) -> Compute | ComputeCluster | None:
    """Return the compute of a job's runs; None where each group of nodes has its own, and of Spark."""
    given = spec.infrastructure.data_science_job
    return None if given is None or node_groups(spec) else machine(given)


def machine(given: DataScienceJobInfrastructure) -> Compute | ComputeCluster:
    """Return the compute of runs that are on one machine."""
    if given.compute_target is not None:
        return ComputeCluster(target=given.compute_target)
    return asked_for(
        Compute,
        given,
        below=BELOW_MACHINES,
        shape_name=given.shape_name or "",
        block_storage_size_in_gbs=given.block_storage_size_in_gbs or DEFAULT_BLOCK_STORAGE_GBS,
    )


def node_groups(spec: OCIJobSpec) -> tuple[JobNodeGroup, ...]:
    """Return the groups of nodes: those that are given, or the one that the runtime's replicas mean."""
    job = spec.infrastructure.data_science_job
    if job is not None and job.job_node_groups:
        return job.job_node_groups
    replicas = spec.runtime.replicas if spec.runtime is not None else 1
    return (JobNodeGroup(name="nodes", replicas=replicas),) if replicas > 1 else ()


def node_machine(job: DataScienceJobInfrastructure, group: JobNodeGroup) -> NodeMachine:
    """Return the machine of a group's nodes: what the group doesn't say is as the job has it."""
    own = group.shape_name is not None
    reserved = (job.capacity_reservation_id,) if job.capacity_reservation_id else ()
    return asked_for(
        NodeMachine,
        group,
        job,
        below=BELOW_MACHINES,
        shape_name=group.shape_name or job.shape_name or "",
        size=group.job_shape_config_details if own else job.job_shape_config_details,
        block_storage_size_in_gbs=(
            group.block_storage_size_in_gbs
            or job.block_storage_size_in_gbs
            or DEFAULT_BLOCK_STORAGE_GBS
        ),
        capacity_reservation_ids=group.capacity_reservation_ids or reserved,
    )


def shape_names(spec: OCIJobSpec) -> Mapping[str, str]:
    """Return every shape that the spec names and that Data Science has a list of, by its field path."""
    job = spec.infrastructure.data_science_job
    if job is None:
        return {}
    where = "spec.infrastructure.dataScienceJob"
    named = {f"{where}.shapeName": job.shape_name} | {
        f"{where}.jobNodeGroups[{index}].shapeName": group.shape_name
        for index, group in enumerate(job.job_node_groups)
    }
    return {field: name for field, name in named.items() if name is not None}


def unresolved_sources(spec: OCIJobSpec) -> tuple[str, ...]:
    """Return the sources of mounts, as ADS writes them, whose OCIDs only OCI can tell."""
    return tuple(
        m.src for m in _given_mounts(spec) if m.src is not None and _file_system(m.src) is None
    )


def mounts(spec: OCIJobSpec, resolved: Mapping[str, FileStorageMount]) -> tuple[Mount, ...]:
    """Return what is mounted; `resolved` has the file systems of the sources that OCI was asked about."""
    return tuple(_mount(m, resolved) for m in _given_mounts(spec))


def _given_mounts(spec: OCIJobSpec) -> tuple[StorageMount, ...]:
    job = spec.infrastructure.data_science_job
    return job.storage_mounts if job is not None else ()


def _mount(mount: StorageMount, resolved: Mapping[str, FileStorageMount]) -> Mount:
    source = mount.object_storage or mount.file_storage
    if source is None and mount.src is not None:
        source = _bucket(mount.src) or _file_system(mount.src) or resolved[mount.src]
    if source is None:
        raise AssertionError  # pragma: no cover - the model has exactly one
    return asked_for(Mount, mount, below=(f"{MACHINES}.storageMounts.",), source=source)


def _bucket(src: str) -> ObjectStorageMount | None:
    if not src.startswith("oci://"):
        return None
    bucket, _, rest = src.removeprefix("oci://").partition("@")
    namespace, _, prefix = rest.partition("/")
    return ObjectStorageMount(namespace=namespace, bucket=bucket, prefix=prefix or None)


def _file_system(src: str) -> FileStorageMount | ObjectStorageMount | None:
    """Return what a source means by itself; None if it is an address and a path."""
    if src.startswith("oci://"):
        return _bucket(src)
    target, _, export = src.partition(":")
    if not target.startswith("ocid1."):
        return None
    return FileStorageMount(mount_target_id=target, export_id=export)
