"""Our requests as the SDK's models, and its models as our records. Field for field; nothing is decided here."""

from __future__ import annotations

from typing import Any

from ocijobs.api.job.machines.storage_mount import ObjectStorageMount
from ocijobs.api.run.observed import NodeGroupState
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, Mount, NodeMachine
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState, LogAddress, RunRecord, RunState
from ocijobs.backends.requests import (
    ContainerEnvironment,
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
    NodeGroup,
    NoLog,
    RunRequest,
    SingleNode,
    Workload,
)
from ocijobs.cloud.data_science_readings import job_request_of
from ocijobs.cloud.resource_fields import (
    check,
    commit_of,
    content_of,
    owner_of,
    state_of,
    tag_fields,
    whole_seconds,
)
from ocijobs.cloud.sdk import data_science_models as models
from ocijobs.reconcile.text import shown

"""Characters kept of what OCI says of a group of nodes."""


def create_job_details(request: JobRequest) -> Any:
    """Return CreateJobDetails."""
    return models.CreateJobDetails(
        compartment_id=request.compartment_id,
        project_id=request.project_id,
        display_name=request.settings.display_name,
        description=request.settings.description,
        **_workload(request.workload, infix="_"),
        job_infrastructure_configuration_details=_infrastructure(request.settings.infrastructure),
        job_storage_mount_configuration_details_list=_mounts(request.settings.storage_mounts),
        job_log_configuration_details=_log(request.log),
        **tag_fields(request.settings.tags),
    )


def update_job_details(settings: JobSettings) -> Any:
    """Return UpdateJobDetails: all that it can change, complete, so that what was removed goes."""
    return models.UpdateJobDetails(
        display_name=settings.display_name,
        description=settings.description or "",
        job_infrastructure_configuration_details=_infrastructure(settings.infrastructure),
        job_storage_mount_configuration_details_list=_mounts(settings.storage_mounts),
        **tag_fields(settings.tags),
    )


def create_job_run_details(request: RunRequest) -> Any:
    """Return CreateJobRunDetails."""
    return models.CreateJobRunDetails(
        compartment_id=request.compartment_id,
        project_id=request.project_id,
        job_id=request.job_id,
        display_name=request.display_name,
        **(_workload(request.workload, infix="_override_") if request.workload else {}),
        **(
            {
                "job_infrastructure_configuration_override_details": _infrastructure(
                    request.infrastructure
                )
            }
            if request.infrastructure is not None
            else {}
        ),
        **(
            {"job_log_configuration_override_details": _log(request.log)}
            if request.log is not None
            else {}
        ),
        **tag_fields(request.tags),
    )


def _workload(workload: Workload, *, infix: str) -> dict[str, Any]:
    """Return what a run starts as the fields that hold it: of one node, or of groups of nodes, which hold it all."""
    if isinstance(workload, SingleNode):
        return {
            f"job_configuration{infix}details": _configuration(workload.configuration),
            f"job_environment_configuration{infix}details": _container(workload.container),
        }
    network = (
        models.JobCustomNetworkConfiguration(subnet_id=workload.subnet_id)
        if workload.subnet_id is not None
        else models.JobDefaultNetworkConfiguration()
    )
    nodes = models.MultiNodeJobNodeConfigurationDetails(
        startup_order=workload.startup_order.value,
        maximum_runtime_in_minutes=workload.maximum_runtime_in_minutes,
        job_network_configuration=network,
        job_node_group_configuration_details_list=[_group(group) for group in workload.groups],
    )
    return {f"job_node_configuration{infix}details": nodes}


def _group(group: NodeGroup) -> Any:
    machine = group.machine
    return models.JobNodeGroupConfigurationDetails(
        name=group.name,
        replicas=group.replicas,
        minimum_success_replicas=group.minimum_success_replicas,
        job_infrastructure_configuration_details=models.MultiNodeJobInfrastructureConfigurationDetails(
            capacity_reservation_ids=list(machine.capacity_reservation_ids) or None,
            **_machine(machine),
        ),
        job_configuration_details=_configuration(group.configuration),
        job_environment_configuration_details=_container(group.container),
    )


def _configuration(configuration: JobConfiguration) -> Any:
    probe = configuration.startup_probe
    return models.DefaultJobConfigurationDetails(
        environment_variables=dict(configuration.environment_variables),
        command_line_arguments=configuration.command_line_arguments,
        maximum_runtime_in_minutes=configuration.maximum_runtime_in_minutes,
        startup_probe_details=models.JobExecProbeDetails(
            command=list(probe.command),
            period_in_seconds=probe.period_in_seconds,
            failure_threshold=probe.failure_threshold,
            initial_delay_in_seconds=probe.initial_delay_in_seconds,
        )
        if probe is not None
        else None,
    )


def _container(container: ContainerEnvironment | None) -> Any:
    if container is None:
        return None
    return models.OcirContainerJobEnvironmentConfigurationDetails(
        image=container.image,
        image_digest=container.image_digest,
        image_signature_id=container.image_signature_id,
        entrypoint=list(container.entrypoint) or None,
        cmd=list(container.cmd) or None,
    )


def _machine(machine: Compute | NodeMachine) -> dict[str, Any]:
    size = machine.size
    details = (
        models.JobShapeConfigDetails(
            ocpus=size.ocpus,
            memory_in_gbs=size.memory_in_gbs,
            cpu_baseline=size.cpu_baseline.value if size.cpu_baseline else None,
        )
        if size is not None
        else None
    )
    return {
        "shape_name": machine.shape_name,
        "block_storage_size_in_gbs": machine.block_storage_size_in_gbs,
        "job_shape_config_details": details,
    }


def _infrastructure(compute: Compute | ComputeCluster | None) -> Any:
    """Return custom networking where there is a subnet, managed egress where there is none."""
    if compute is None:
        return None
    if isinstance(compute, ComputeCluster):
        return _cluster(compute)
    if compute.subnet_id is not None:
        return models.StandaloneJobInfrastructureConfigurationDetails(
            subnet_id=compute.subnet_id,
            capacity_reservation_id=compute.capacity_reservation_id,
            **_machine(compute),
        )
    return models.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
        capacity_reservation_id=compute.capacity_reservation_id, **_machine(compute)
    )


def _cluster(compute: ComputeCluster) -> Any:
    target = compute.target
    request, limit = target.resource_request, target.resource_limit
    return models.ManagedComputeClusterJobInfrastructureConfigurationDetails(
        compute_target_id=target.compute_target_id,
        resource_configuration=models.ManagedComputeClusterJobResourceConfiguration(
            resource_request_configuration=models.ResourceRequestConfiguration(
                ocpus=request.ocpus, memory_in_gbs=request.memory_in_gbs, gpus=request.gpus
            ),
            resource_limit_configuration=models.ResourceLimitConfiguration(
                ocpus=limit.ocpus, memory_in_gbs=limit.memory_in_gbs
            )
            if limit is not None
            else None,
        ),
    )


def _mounts(mounted: tuple[Mount, ...]) -> Any:
    """Return the mounts, an empty list included: an update without the field would leave what is there."""
    return [_mount(mount) for mount in mounted]


def _mount(mount: Mount) -> Any:
    place = {
        "destination_directory_name": mount.directory_name,
        "destination_path": mount.path,
    }
    source = mount.source
    if isinstance(source, ObjectStorageMount):
        return models.ObjectStorageMountConfigurationDetails(
            namespace=source.namespace, bucket=source.bucket, prefix=source.prefix, **place
        )
    return models.FileStorageMountConfigurationDetails(
        mount_target_id=source.mount_target_id, export_id=source.export_id, **place
    )


def _log(log: LogConfiguration | NoLog | None) -> Any:
    if log is None or isinstance(log, NoLog):
        return models.JobLogConfigurationDetails(enable_logging=False)
    return models.JobLogConfigurationDetails(
        enable_logging=True,
        enable_auto_log_creation=log.log_id is None,
        log_group_id=log.log_group_id,
        log_id=log.log_id,
    )


def job_record(job: Any, *, complete: bool = False) -> JobRecord:
    """Return a Job, which is complete, or a JobSummary as a record.

    Raises:
        MalformedAnswerError: if it lacks what every job has.
    """
    check(job)
    content, unreadable = content_of(job_request_of, job) if complete else (None, None)
    return JobRecord(
        content=content,
        unreadable=unreadable,
        id=job.id,
        compartment_id=job.compartment_id,
        state=state_of(JobState, job),
        details=getattr(job, "lifecycle_details", None) or "",
        owner=owner_of(job),
    )


def run_record(run: Any, *, complete: bool) -> RunRecord:
    """Return a JobRun, or a JobRunSummary, which lacks the log and so is not complete.

    Raises:
        MalformedAnswerError: if it lacks what every run has.
    """
    check(run)
    log = getattr(run, "log_details", None)
    return RunRecord(
        id=run.id,
        job_id=run.job_id,
        compartment_id=run.compartment_id,
        state=state_of(RunState, run),
        details=run.lifecycle_details or "",
        accepted_at=whole_seconds(run.time_accepted),
        started_at=whole_seconds(run.time_started),
        finished_at=whole_seconds(run.time_finished),
        log=LogAddress(log_group_id=log.log_group_id, log_id=log.log_id) if log else None,
        owner=owner_of(run),
        commit=commit_of(run),
        node_groups=tuple(
            NodeGroupState(
                name=group.name,
                lifecycle_state=group.lifecycle_state or RunState.UNKNOWN,
                lifecycle_details=shown(group.lifecycle_details or "") or None,
            )
            for group in getattr(run, "node_group_details_list", None) or ()
        ),
        complete=complete,
    )
