"""The SDK's models of a job as our request: what would make the same job. Field for field; nothing is decided here."""

from __future__ import annotations

from typing import Any

from ocijobs.api.job.machines.compute_target import ComputeTarget, ResourceLimit, ResourceRequest
from ocijobs.api.job.machines.node_group import StartupOrder
from ocijobs.api.job.machines.shape import CpuBaseline, JobShapeConfigDetails
from ocijobs.api.job.machines.startup_probe import StartupProbe
from ocijobs.api.job.machines.storage_mount import FileStorageMount, ObjectStorageMount
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, Mount, NodeMachine
from ocijobs.backends.requests import (
    ContainerEnvironment,
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
    MultiNode,
    NodeGroup,
    SingleNode,
    Workload,
)
from ocijobs.cloud.resource_fields import UnknownTypeError, tags_of


def job_request_of(job: Any) -> JobRequest:
    """Return the request that would make the Job.

    Raises:
        UnknownTypeError: if a part of it is of a type that came after this operator.
    """
    return JobRequest(
        compartment_id=job.compartment_id,
        project_id=job.project_id,
        settings=JobSettings(
            display_name=job.display_name or "",
            description=job.description,
            infrastructure=_infrastructure(job.job_infrastructure_configuration_details),
            tags=tags_of(job),
            storage_mounts=tuple(
                _mount(item) for item in job.job_storage_mount_configuration_details_list or ()
            ),
        ),
        workload=_workload(job),
        log=_log(job.job_log_configuration_details),
    )


def _workload(job: Any) -> Workload:
    nodes = job.job_node_configuration_details
    if nodes is None:
        return SingleNode(
            configuration=_configuration(job.job_configuration_details),
            container=_container(job.job_environment_configuration_details),
        )
    network = nodes.job_network_configuration
    return MultiNode(
        groups=tuple(
            _group(item) for item in nodes.job_node_group_configuration_details_list or ()
        ),
        startup_order=StartupOrder(nodes.startup_order or StartupOrder.IN_PARALLEL),
        maximum_runtime_in_minutes=nodes.maximum_runtime_in_minutes,
        subnet_id=getattr(network, "subnet_id", None),
    )


def _group(group: Any) -> NodeGroup:
    machine = group.job_infrastructure_configuration_details
    return NodeGroup(
        name=group.name,
        replicas=group.replicas or 1,
        minimum_success_replicas=group.minimum_success_replicas or group.replicas or 1,
        machine=NodeMachine(
            shape_name=machine.shape_name,
            size=_size(machine.job_shape_config_details),
            block_storage_size_in_gbs=machine.block_storage_size_in_gbs,
            capacity_reservation_ids=tuple(machine.capacity_reservation_ids or ()),
        ),
        configuration=_configuration(group.job_configuration_details),
        container=_container(group.job_environment_configuration_details),
    )


def _configuration(details: Any) -> JobConfiguration:
    """Return the configuration; of type EMPTY it has nothing."""
    probe = getattr(details, "startup_probe_details", None)
    return JobConfiguration(
        environment_variables=getattr(details, "environment_variables", None) or {},
        command_line_arguments=getattr(details, "command_line_arguments", None) or None,
        maximum_runtime_in_minutes=getattr(details, "maximum_runtime_in_minutes", None),
        startup_probe=StartupProbe(
            command=tuple(probe.command),
            period_in_seconds=probe.period_in_seconds,
            failure_threshold=probe.failure_threshold,
            initial_delay_in_seconds=probe.initial_delay_in_seconds,
        )
        if probe is not None
        else None,
    )


def _container(details: Any) -> ContainerEnvironment | None:
    if details is None:
        return None
    return ContainerEnvironment(
        image=details.image,
        image_digest=details.image_digest,
        image_signature_id=details.image_signature_id,
        entrypoint=tuple(details.entrypoint or ()),
        cmd=tuple(details.cmd or ()),
    )


def _infrastructure(details: Any) -> Compute | ComputeCluster | None:
    match getattr(details, "job_infrastructure_type", None):
        case "STANDALONE" | "ME_STANDALONE":
            return Compute(
                shape_name=details.shape_name,
                size=_size(details.job_shape_config_details),
                block_storage_size_in_gbs=details.block_storage_size_in_gbs,
                subnet_id=getattr(details, "subnet_id", None),
                capacity_reservation_id=details.capacity_reservation_id,
            )
        case "MANAGED_COMPUTE_CLUSTER":
            return _cluster(details)
        case None | "EMPTY" | "MULTI_NODE":
            return None
        case other:
            raise UnknownTypeError(f"infrastructure of type {other}")


def _cluster(details: Any) -> ComputeCluster:
    resources = details.resource_configuration
    request = resources.resource_request_configuration
    limit = resources.resource_limit_configuration
    return ComputeCluster(
        target=ComputeTarget(
            compute_target_id=details.compute_target_id,
            resource_request=ResourceRequest(
                ocpus=request.ocpus, memory_in_gbs=request.memory_in_gbs, gpus=request.gpus
            ),
            resource_limit=ResourceLimit(ocpus=limit.ocpus, memory_in_gbs=limit.memory_in_gbs)
            if limit is not None
            else None,
        )
    )


def _size(details: Any) -> JobShapeConfigDetails | None:
    if details is None or details.ocpus is None:
        return None
    return JobShapeConfigDetails(
        ocpus=details.ocpus,
        memory_in_gbs=details.memory_in_gbs,
        cpu_baseline=CpuBaseline(details.cpu_baseline) if details.cpu_baseline else None,
    )


def _mount(details: Any) -> Mount:
    source: ObjectStorageMount | FileStorageMount
    match details.storage_type:
        case "OBJECT_STORAGE":
            source = ObjectStorageMount(
                namespace=details.namespace, bucket=details.bucket, prefix=details.prefix
            )
        case "FILE_STORAGE":
            source = FileStorageMount(
                mount_target_id=details.mount_target_id, export_id=details.export_id
            )
        case other:
            raise UnknownTypeError(f"a storage mount of type {other}")
    return Mount(
        source=source,
        directory_name=details.destination_directory_name,
        path=details.destination_path,
    )


def _log(details: Any) -> LogConfiguration | None:
    if details is None or not details.enable_logging or details.log_group_id is None:
        return None
    return LogConfiguration(log_group_id=details.log_group_id, log_id=details.log_id)
