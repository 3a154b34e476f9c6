"""The status of a run, from its former one and what changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Unpack

from ocijobs.api.run.observed import NodeGroupState
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import MOST_ATTEMPTS, Attempt, OCIJobRunStatus, RunLogs
from ocijobs.api.shared.conditions import Condition
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobRunStatusChanges
from ocijobs.backends.console import job_run_url, log_url
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.backends.registry import backend_of
from ocijobs.reconcile.blocking import Blocked, Former, blocked
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.standing import RUN_STANDINGS, Headline, Standing, restated

_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def write_status(
    o: RunObservation,
    now: datetime,
    *,
    phase: Phase,
    reason: Reason,
    message: str,
    also: Iterable[Condition] = (),
    **changes: Unpack[JobRunStatusChanges],
) -> OCIJobRunStatus:
    """Return the status of a run that is in `phase`, which implies how its conditions stand."""
    goes_on = o.goes_on and reason is Reason.STREAMING
    standing = Standing.READY if goes_on else RUN_STANDINGS[phase][0]
    headline = Headline(standing=standing, reason=reason, message=message)
    return _write(o, now, phase=phase, headline=headline, also=also, blocked_since=None, **changes)


def suspended(
    o: RunObservation, now: datetime, **changes: Unpack[JobRunStatusChanges]
) -> OCIJobRunStatus:
    """Return the status of a run that is not launched because it is suspended."""
    return write_status(
        o,
        now,
        phase=Phase.SUSPENDED,
        reason=Reason.SUSPENDED,
        message="spec.suspend is true: the run is launched when it is false",
        **changes,
    )


def write_blocked(
    o: RunObservation,
    now: datetime,
    reason: Reason,
    message: str,
    **changes: Unpack[JobRunStatusChanges],
) -> tuple[OCIJobRunStatus, Blocked]:
    """Return the status of a run that `reason` keeps from being launched, and when it becomes Stalled."""
    former = Former(conditions=o.run.status.conditions, since=o.run.status.blocked_since)
    state = blocked(former, reason, message, now=now, settings=o.settings)
    status = _write(
        o, now, phase=Phase.PENDING, headline=state.headline, blocked_since=state.since, **changes
    )
    return status, state


def _write(
    o: RunObservation,
    now: datetime,
    *,
    phase: Phase,
    headline: Headline,
    blocked_since: datetime | None,
    also: Iterable[Condition] = (),
    **changes: Unpack[JobRunStatusChanges],
) -> OCIJobRunStatus:
    former = o.run.status
    headline = replace(headline, message=o.shown(headline.message))
    return restated(
        former,
        headline,
        generation=o.run.metadata.generation,
        now=now,
        also=also,
        changes={
            "backend": o.backend.name if o.backend is not None else former.backend,
            **changes,
            "phase": phase,
            "blocked_since": blocked_since,
        },
    )


def reflect(o: RunObservation, record: RunRecord) -> JobRunStatusChanges:
    """Return what a status takes over from OCI's record of the run."""
    former = o.run.status
    submit = former.submit
    number = submit.attempt if submit is not None else 0
    region = submit.region if submit is not None else None
    start = record.started_at or former.start_time or _began(o, record)
    end = record.finished_at if record.state.ended else None
    attempt = Attempt(
        number=number,
        job_run_id=record.id,
        lifecycle_state=record.state,
        exit_code=exit_code(record),
        start_time=start,
        completion_time=end,
    )
    return {
        "job_run_id": record.id,
        "job_id": record.job_id,
        "lifecycle_state": record.state.value,
        "lifecycle_details": o.shown(record.details) or None,
        "exit_code": exit_code(record),
        "accepted_time": record.accepted_at or former.accepted_time,
        "start_time": start,
        "completion_time": end,
        "commit": record.commit if is_commit(record.commit) else former.commit,
        "backend": backend_of(record.id).name,
        "console_url": job_run_url(region, record.id) if region else None,
        "logs": _logs(former, record, region),
        "attempts": (*(a for a in former.attempts if a.number != number), attempt)[-MOST_ATTEMPTS:],
        "attempt_count": number + 1,
        "node_groups": _node_groups(o, record) or former.node_groups,
    }


def _node_groups(o: RunObservation, record: RunRecord) -> tuple[NodeGroupState, ...]:
    return tuple(
        group.model_copy(
            update={"lifecycle_details": o.shown(group.lifecycle_details or "") or None}
        )
        for group in record.node_groups
    )


def _began(o: RunObservation, record: RunRecord) -> datetime | None:
    """Return when a run was first seen running whose service has no time of the start until it has ended."""
    seen = record.state is RunState.IN_PROGRESS and not backend_of(record.id).tells_start
    return o.known.told_at if seen else None


def is_commit(text: str | None) -> bool:
    """Whether a tag's value is a commit: people write tags too."""
    return text is not None and _COMMIT.fullmatch(text) is not None


def _logs(former: OCIJobRunStatus, record: RunRecord, region: str | None) -> RunLogs | None:
    before = former.logs or RunLogs()
    if record.log is None or region is None:
        if region is None or not backend_of(record.id).keeps_logs:
            return former.logs
        # Logs that the service keeps are on the run's page.
        return before.model_copy(update={"console_url": job_run_url(region, record.id)})
    return before.model_copy(
        update={
            "log_group_id": record.log.log_group_id,
            "log_id": record.log.log_id,
            "console_url": log_url(region, record.log),
        }
    )


def exit_code(record: RunRecord) -> int | None:
    """Return the exit code, where the service tells one."""
    return backend_of(record.id).exit_code(record)
