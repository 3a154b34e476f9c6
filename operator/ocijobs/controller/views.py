"""Runs and sweeps in the forms that other objects need."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.names import ANNOTATION_SCHEDULED_TIME
from ocijobs.api.shared.reasons import Reason, reason_named
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.controller.entry import Entry
from ocijobs.reconcile.job.observation import RunView
from ocijobs.reconcile.schedule.observation import MadeView

_DOUBTFUL = frozenset({Reason.NOT_AUTHORIZED_OR_NOT_FOUND, Reason.OCI_CONFLICT})
"""Reasons that a run reports after its OCI job was deleted."""


def launched_at(run: OCIJobRun) -> tuple[datetime, str]:
    """Return the sort key of launched runs."""
    return run.status.accepted_time or run.metadata.creation_timestamp, run.metadata.name


def turn_order(run: OCIJobRun) -> tuple[datetime, str]:
    """Return the sort key of runs that wait for their turn."""
    return run.metadata.creation_timestamp, run.metadata.name


def waits(run: OCIJobRun) -> bool:
    """Whether a run waits for nothing but its turn."""
    status = run.status
    if status.submit is not None or run.spec.cancel or run.metadata.deleting:
        return False
    return not status.ended and _reason(run) in {None, Reason.PENDING, Reason.MAX_ACTIVE_RUNS}


def run_view(run: OCIJobRun) -> RunView:
    """Return a run in the form that its job needs."""
    status = run.status
    return RunView(
        name=run.metadata.name,
        phase=status.phase,
        live=status.submit is not None and not status.ended,
        job_id=None if status.ended else _needed_job(status),
        accepted_time=status.accepted_time,
        doubts=status.submit is not None
        and status.job_run_id is None
        and not status.ended
        and _reason(run) in _DOUBTFUL,
    )


def code_folders(job: OCIJob) -> Iterator[str]:
    """Yield the folders of Spark code that a job still uses."""
    if job.metadata.deleting and not job.spec.retained:
        return
    for revision in job.status.revisions:
        artifact = revision.artifact
        if artifact is not None and artifact.uri is not None and not revision.removing:
            yield artifact.uri


def made_view(entry: Entry) -> MadeView | None:
    """Return a run or a sweep in the form that its schedule needs."""
    resource, meta = entry.resource, entry.metadata
    time = parse_time(meta.annotations.get(ANNOTATION_SCHEDULED_TIME))
    if not isinstance(resource, OCIJobRun | OCIJobSweep) or time is None:
        return None
    phase = resource.status.phase
    return MadeView(
        kind=entry.key.kind,
        name=meta.name,
        uid=meta.uid,
        scheduled_time=time,
        ended=resource.status.ended,
        succeeded=phase in {Phase.SUCCEEDED, SweepPhase.SUCCEEDED},
        completion_time=resource.status.completion_time,
        deleting=meta.deleting,
    )


def parse_time(text: str | None) -> datetime | None:
    """Return the time in an annotation; None if people have made it invalid."""
    try:
        time = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


def _needed_job(status: OCIJobRunStatus) -> str | None:
    """Return the OCI job of the run's attempts; None before the first one."""
    if status.submit is not None:
        return status.submit.job_id
    binding = status.binding
    return binding.job_id if binding is not None and status.attempts else None


def _reason(run: OCIJobRun) -> Reason | None:
    ready = find(run.status.conditions, ConditionType.READY)
    return reason_named(ready.reason) if ready is not None else None
