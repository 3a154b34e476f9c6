"""Our requests as the SDK's models of Data Flow, and its models as our records. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ocijobs.backends.data_flow.requests import (
    ApplicationCode,
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
    SparkMachine,
    SparkSettings,
)
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState, LogAddress, RunRecord, RunState, RunTotals
from ocijobs.cloud.data_flow_readings import application_request_of, log_of
from ocijobs.cloud.resource_fields import (
    check,
    commit_of,
    content_of,
    owner_of,
    state_of,
    tag_fields,
    whole_seconds,
)
from ocijobs.cloud.sdk import data_flow_models as models


def create_application_details(request: ApplicationRequest) -> Any:
    """Return CreateApplicationDetails."""
    return models.CreateApplicationDetails(
        compartment_id=request.compartment_id,
        type=request.type.value,
        display_name=request.settings.display_name,
        description=request.settings.description,
        **_code(request.settings.code),
        **_spark(request.settings.spark),
        **tag_fields(request.settings.tags),
    )


def update_application_details(settings: ApplicationSettings) -> Any:
    """Return UpdateApplicationDetails, with an empty description for none, so that what was removed goes."""
    return models.UpdateApplicationDetails(
        display_name=settings.display_name,
        description=settings.description or "",
        **_code(settings.code),
        **_spark(settings.spark),
        **tag_fields(settings.tags),
    )


def create_run_details(request: ApplicationRunRequest) -> Any:
    """Return CreateRunDetails of an application's run."""
    return models.CreateRunDetails(
        compartment_id=request.compartment_id,
        application_id=request.job_id,
        display_name=request.display_name,
        **(_spark(request.spark) if request.spark is not None else {}),
        **tag_fields(request.tags),
    )


def _code(code: ApplicationCode) -> dict[str, Any]:
    fields = {
        "language": code.language.value,
        "spark_version": code.spark_version,
        "file_uri": code.file_uri,
        "class_name": code.class_name,
        "private_endpoint_id": code.private_endpoint_id,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _spark(spark: SparkSettings) -> dict[str, Any]:
    """Return the fields that applications, their updates and runs have alike; what is None is not sent."""
    fields = {
        "driver_shape": spark.driver.shape,
        "driver_shape_config": _size(spark.driver),
        "executor_shape": spark.executor.shape,
        "executor_shape_config": _size(spark.executor),
        "num_executors": spark.num_executors,
        "configuration": _copy(spark.configuration),
        "parameters": _parameters(spark.parameters),
        "arguments": list(spark.arguments) if spark.arguments is not None else None,
        "archive_uri": spark.archive_uri,
        "logs_bucket_uri": spark.logs_bucket_uri,
        "warehouse_bucket_uri": spark.warehouse_bucket_uri,
        "metastore_id": spark.metastore_id,
        "pool_id": spark.pool_id,
        "application_log_config": _log(spark.log),
        "max_duration_in_minutes": spark.max_duration_in_minutes,
        "idle_timeout_in_minutes": spark.idle_timeout_in_minutes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _size(machine: SparkMachine) -> Any:
    if machine.ocpus is None:
        return None
    return models.ShapeConfig(ocpus=machine.ocpus, memory_in_gbs=machine.memory_in_gbs)


def _copy(configuration: Mapping[str, str] | None) -> dict[str, str] | None:
    return dict(configuration) if configuration is not None else None


def _parameters(parameters: Mapping[str, str] | None) -> Any:
    if parameters is None:
        return None
    return [
        models.ApplicationParameter(name=name, value=value) for name, value in parameters.items()
    ]


def _log(log: LogAddress | None) -> Any:
    if log is None:
        return None
    return models.ApplicationLogConfig(log_group_id=log.log_group_id, log_id=log.log_id)


def application_record(application: Any, *, complete: bool = False) -> JobRecord:
    """Return an Application, which is complete, or an ApplicationSummary as a record.

    Raises:
        MalformedAnswerError: if it lacks what every application has.
    """
    check(application)
    content, unreadable = (
        content_of(application_request_of, application) if complete else (None, None)
    )
    return JobRecord(
        content=content,
        unreadable=unreadable,
        id=application.id,
        compartment_id=application.compartment_id,
        state=state_of(JobState, application),
        owner=owner_of(application),
    )


def application_run_record(run: Any, *, complete: bool) -> RunRecord:
    """Return a Run, or a RunSummary, which lacks the log and so is not complete.

    Raises:
        MalformedAnswerError: if it lacks what every run has.
    """
    check(run)
    state = state_of(RunState, run)
    totals = _totals(run)
    finished_at = whole_seconds(run.time_updated) if state.ended else None
    return RunRecord(
        id=run.id,
        job_id=run.application_id or "",
        compartment_id=run.compartment_id,
        state=state,
        details=run.lifecycle_details or "",
        accepted_at=whole_seconds(run.time_created),
        started_at=_started_at(finished_at, totals),
        finished_at=finished_at,
        log=log_of(run),
        owner=owner_of(run),
        commit=commit_of(run),
        totals=totals,
        complete=complete,
    )


def _started_at(finished_at: datetime | None, totals: RunTotals | None) -> datetime | None:
    """Return when the code of a run that has ended started; a run without a duration never did."""
    if finished_at is None or totals is None or not totals.milliseconds:
        return None
    return whole_seconds(finished_at - timedelta(milliseconds=totals.milliseconds))


def _totals(run: Any) -> RunTotals | None:
    totals = RunTotals(
        ocpus=run.total_o_cpu,
        read_bytes=run.data_read_in_bytes,
        written_bytes=run.data_written_in_bytes,
        milliseconds=run.run_duration_in_milliseconds,
    )
    return totals if totals != RunTotals() else None
