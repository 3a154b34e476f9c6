"""Requests as the SDK's models of Data Science, and its models as our records. Nothing is decided here."""

from __future__ import annotations

from typing import Any

from ocijobs.api.run.observed import NodeGroupState
from ocijobs.backends.data_science.documents import (
    job_document,
    job_request_of,
    job_update_document,
    run_document,
)
from ocijobs.backends.data_science.requests import (
    JobRequest,
    JobSettings,
    RunRequest,
)
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState, LogAddress, RunRecord, RunState
from ocijobs.cloud.resource_fields import (
    check,
    commit_of,
    content_of,
    owner_of,
    state_of,
    whole_seconds,
)
from ocijobs.cloud.sdk import data_science_models as models
from ocijobs.cloud.sdk_documents import document_of, model_of
from ocijobs.reconcile.text import shown


def create_job_details(request: JobRequest) -> Any:
    """Return CreateJobDetails."""
    return model_of(models, "CreateJobDetails", job_document(request))


def update_job_details(settings: JobSettings) -> Any:
    """Return UpdateJobDetails: all that it can change, complete, so that what was removed goes."""
    return model_of(models, "UpdateJobDetails", job_update_document(settings))


def create_job_run_details(request: RunRequest) -> Any:
    """Return CreateJobRunDetails."""
    return model_of(models, "CreateJobRunDetails", run_document(request))


def job_content(job: Any) -> JobRequest:
    """Return the request that would make the Job.

    Raises:
        UnknownTypeError: if a part of it is of a type that came after this operator.
        ValueError: if a value in it is.
    """
    return job_request_of(document_of(job))


def job_record(job: Any, *, complete: bool = False) -> JobRecord:
    """Return a Job, which is complete, or a JobSummary as a record.

    Raises:
        MalformedAnswerError: if it lacks what every job has.
    """
    check(job)
    content, unreadable = content_of(job_content, job) if complete else (None, None)
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
