"""Requests as the SDK's models of Data Flow, and its models as our records. Nothing is decided here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ocijobs.backends.data_flow.documents import (
    application_document,
    application_request_of,
    application_run_document,
    application_update_document,
    log_of,
)
from ocijobs.backends.data_flow.requests import (
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
)
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState, LogAddress, RunRecord, RunState, RunTotals
from ocijobs.cloud.resource_fields import (
    check,
    commit_of,
    content_of,
    owner_of,
    state_of,
    whole_seconds,
)
from ocijobs.cloud.sdk import data_flow_models as models
from ocijobs.cloud.sdk_documents import document_of, model_of


def create_application_details(request: ApplicationRequest) -> Any:
    """Return CreateApplicationDetails."""
    return model_of(models, "CreateApplicationDetails", application_document(request))


def update_application_details(settings: ApplicationSettings) -> Any:
    """Return UpdateApplicationDetails, with an empty description for none, so that what was removed goes."""
    return model_of(models, "UpdateApplicationDetails", application_update_document(settings))


def create_run_details(request: ApplicationRunRequest) -> Any:
    """Return CreateRunDetails of an application's run."""
    return model_of(models, "CreateRunDetails", application_run_document(request))


def application_content(application: Any) -> ApplicationRequest:
    """Return the request that would make the Application.

    Raises:
        UnknownTypeError: if it was made of a command for spark-submit, which has all the rest in it.
        ValueError: if its type or language came after this operator.
    """
    return application_request_of(document_of(application))


def application_record(application: Any, *, complete: bool = False) -> JobRecord:
    """Return an Application, which is complete, or an ApplicationSummary as a record.

    Raises:
        MalformedAnswerError: if it lacks what every application has.
    """
    check(application)
    content, unreadable = content_of(application_content, application) if complete else (None, None)
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
        log=_log(run),
        owner=owner_of(run),
        commit=commit_of(run),
        totals=totals,
        complete=complete,
    )


def _started_at(finished_at: datetime | None, totals: RunTotals | None) -> datetime | None:
    """Return when the code of an ended run started; a run without a duration never started it."""
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


def _log(run: Any) -> LogAddress | None:
    """Return the log of a run; a summary has none."""
    config = getattr(run, "application_log_config", None)
    return log_of({"applicationLogConfig": document_of(config)})
