"""The status of a job, from its former one and what changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Unpack

from ocijobs.api.job.status import LastRun, OCIJobStatus, RunCounts
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobStatusChanges
from ocijobs.reconcile.blocking import Blocked, Former, blocked
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.reading import kept_attempt
from ocijobs.reconcile.standing import Headline, Standing, restated


def write_status(
    o: JobObservation,
    now: datetime,
    *,
    standing: Standing,
    reason: Reason,
    message: str,
    **changes: Unpack[JobStatusChanges],
) -> OCIJobStatus:
    """Return the status of a job that nothing keeps from going on, or that only an edit can mend."""
    headline = Headline(standing=standing, reason=reason, message=message)
    return _write(o, now, headline, blocked_since=None, **changes)


def write_blocked(
    o: JobObservation,
    now: datetime,
    reason: Reason,
    message: str,
    **changes: Unpack[JobStatusChanges],
) -> tuple[OCIJobStatus, Blocked]:
    """Return the status of a job that `reason` keeps from going on, and when it becomes Stalled."""
    former = Former(conditions=o.job.status.conditions, since=o.job.status.blocked_since)
    state = blocked(former, reason, message, now=now, settings=o.settings)
    return _write(o, now, state.headline, blocked_since=state.since, **changes), state


def _write(
    o: JobObservation,
    now: datetime,
    headline: Headline,
    *,
    blocked_since: datetime | None,
    **changes: Unpack[JobStatusChanges],
) -> OCIJobStatus:
    former = o.job.status
    return restated(
        former,
        headline,
        generation=o.job.metadata.generation,
        now=now,
        changes={
            "runs": RunCounts(active=sum(run.live for run in o.runs)),
            "last_run": _last_run(o) or former.last_run,
            "backend": o.backend.name,
            "reading": kept_attempt(o),
            **changes,
            "blocked_since": blocked_since,
        },
    )


def _last_run(o: JobObservation) -> LastRun | None:
    launched = [run for run in o.runs if run.accepted_time is not None]
    if not launched:
        return None
    last = max(launched, key=lambda run: (run.accepted_time, run.name))
    if last.accepted_time is None or last.phase is None:
        return None
    return LastRun(name=last.name, phase=last.phase, time=last.accepted_time)


def counts_deferred_until(
    o: JobObservation, status: OCIJobStatus, now: datetime
) -> datetime | None:
    """Return until when a write is put off that would change the counts of runs alone."""
    former, written_at = o.job.status, o.known.written_at
    if written_at is None or status == former:
        return None
    if status.changed(runs=former.runs, last_run=former.last_run) != former:
        return None
    until = written_at + timedelta(seconds=o.settings.aggregate_interval_seconds)
    return until if now < until else None
