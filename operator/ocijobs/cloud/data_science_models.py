"""Our requests as the SDK's models, and its models as our records. Field for field; nothing is decided here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oci.data_science import models

from ocijobs.api.infrastructure import DataScienceJobInfrastructure
from ocijobs.api.names import TAG_OWNER
from ocijobs.cloud.refusals import MalformedAnswerError
from ocijobs.reconcile.remote import JobRecord, JobState, LogAddress, RunRecord, RunState
from ocijobs.reconcile.requests import (
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
    RunRequest,
)


def create_job_details(request: JobRequest) -> Any:
    """Return CreateJobDetails."""
    return models.CreateJobDetails(
        compartment_id=request.compartment_id,
        project_id=request.project_id,
        display_name=request.settings.display_name,
        description=request.settings.description,
        job_configuration_details=_configuration(request.configuration),
        job_infrastructure_configuration_details=_infrastructure(request.settings.infrastructure),
        job_log_configuration_details=_log(request.log),
        freeform_tags=dict(request.settings.tags.freeform),
        defined_tags={k: dict(v) for k, v in request.settings.tags.defined.items()},
    )


def update_job_details(settings: JobSettings) -> Any:
    """Return UpdateJobDetails: all that it can change, complete, so that what was removed goes."""
    return models.UpdateJobDetails(
        display_name=settings.display_name,
        description=settings.description or "",
        job_infrastructure_configuration_details=_infrastructure(settings.infrastructure),
        freeform_tags=dict(settings.tags.freeform),
        defined_tags={k: dict(v) for k, v in settings.tags.defined.items()},
    )


def create_job_run_details(request: RunRequest) -> Any:
    """Return CreateJobRunDetails."""
    override = _configuration(request.configuration) if request.configuration else None
    return models.CreateJobRunDetails(
        compartment_id=request.compartment_id,
        project_id=request.project_id,
        job_id=request.job_id,
        display_name=request.display_name,
        job_configuration_override_details=override,
        freeform_tags=dict(request.tags.freeform),
        defined_tags={k: dict(v) for k, v in request.tags.defined.items()},
    )


def _configuration(configuration: JobConfiguration) -> Any:
    return models.DefaultJobConfigurationDetails(
        environment_variables=dict(configuration.environment_variables),
        command_line_arguments=configuration.command_line_arguments,
        maximum_runtime_in_minutes=configuration.maximum_runtime_in_minutes,
    )


def _infrastructure(infrastructure: DataScienceJobInfrastructure) -> Any:
    """Return custom networking where there is a subnet, managed egress where there is none."""
    size = infrastructure.job_shape_config_details
    details = (
        models.JobShapeConfigDetails(
            ocpus=size.ocpus,
            memory_in_gbs=size.memory_in_gbs,
            cpu_baseline=size.cpu_baseline.value if size.cpu_baseline else None,
        )
        if size is not None
        else None
    )
    fields = {
        "shape_name": infrastructure.shape_name,
        "block_storage_size_in_gbs": infrastructure.block_storage_size_in_gbs,
        "job_shape_config_details": details,
    }
    if infrastructure.subnet_id is not None:
        return models.StandaloneJobInfrastructureConfigurationDetails(
            subnet_id=infrastructure.subnet_id, **fields
        )
    return models.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(**fields)


def _log(log: LogConfiguration | None) -> Any:
    if log is None:
        return models.JobLogConfigurationDetails(enable_logging=False)
    return models.JobLogConfigurationDetails(
        enable_logging=True,
        enable_auto_log_creation=log.log_id is None,
        log_group_id=log.log_group_id,
        log_id=log.log_id,
    )


def job_record(job: Any) -> JobRecord:
    """Return a Job or JobSummary as a record.

    Raises:
        MalformedAnswerError: if it lacks what every job has.
    """
    _check(job)
    return JobRecord(
        id=job.id,
        compartment_id=job.compartment_id,
        state=_state(JobState, job.lifecycle_state),
        details=getattr(job, "lifecycle_details", None) or "",
        owner=(job.freeform_tags or {}).get(TAG_OWNER),
    )


def run_record(run: Any, *, complete: bool) -> RunRecord:
    """Return a JobRun, or a JobRunSummary, which lacks the log and so is not complete.

    Raises:
        MalformedAnswerError: if it lacks what every run has.
    """
    _check(run)
    log = getattr(run, "log_details", None)
    return RunRecord(
        id=run.id,
        job_id=run.job_id,
        compartment_id=run.compartment_id,
        state=_state(RunState, run.lifecycle_state),
        details=run.lifecycle_details or "",
        accepted_at=_seconds(run.time_accepted),
        started_at=_seconds(run.time_started),
        finished_at=_seconds(run.time_finished),
        log=LogAddress(log_group_id=log.log_group_id, log_id=log.log_id) if log else None,
        owner=(run.freeform_tags or {}).get(TAG_OWNER),
        complete=complete,
    )


def _check(resource: Any) -> None:
    if not (resource.id and resource.compartment_id and resource.lifecycle_state):
        raise MalformedAnswerError(type(resource).__name__)


def _state(states: Any, value: str) -> Any:
    try:
        return states(value)
    except ValueError:
        return states.UNKNOWN


def _seconds(moment: datetime | None) -> datetime | None:
    """Return the time in UTC and whole seconds, as Kubernetes writes times."""
    return moment.astimezone(UTC).replace(microsecond=0) if moment is not None else None
