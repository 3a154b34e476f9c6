"""Attempts that the operator ends by itself: suspended and evicted runs, and those that take longer than they may.

Why is written before OCI is asked: when the attempt has ended, the reason for it may have passed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.run.phase import StopReason
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.reconcile.blocking import earliest
from ocijobs.reconcile.run.observation import RunObservation, active_deadline, lost_admission

STOPPING = {
    StopReason.SUSPENDED: (Reason.SUSPENDED, "suspended: OCI is ending the attempt"),
    StopReason.EVICTED: (
        Reason.EVICTED,
        "Kueue does not admit the run any more: OCI is ending the attempt",
    ),
    StopReason.DEADLINE_EXCEEDED: (
        Reason.DEADLINE_EXCEEDED,
        "spec.activeDeadlineSeconds is over: OCI is ending the attempt",
    ),
    StopReason.PRE_RUNNING_DEADLINE_EXCEEDED: (
        Reason.PRE_RUNNING_DEADLINE_EXCEEDED,
        "spec.preRunningDeadlineSeconds is over: OCI is ending the attempt",
    ),
}
"""What a run says of itself whose attempt is being ended."""


def stop_reason(o: RunObservation, record: RunRecord, now: datetime) -> StopReason | None:
    """Return why the attempt is to be ended, as far as that is not recorded yet."""
    if not o.wanted or o.run.status.stopping is not None or not record.state.cancellable:
        return None
    if o.run.spec.suspend:
        return StopReason.SUSPENDED
    if lost_admission(o):
        return StopReason.EVICTED
    if (due := active_deadline(o)) is not None and now >= due:
        return StopReason.DEADLINE_EXCEEDED
    if (due := _pre_running_deadline(o, record)) is not None and now >= due:
        return StopReason.PRE_RUNNING_DEADLINE_EXCEEDED
    return None


def next_deadline(o: RunObservation, record: RunRecord, now: datetime) -> datetime | None:
    """Return when the attempt will have taken longer than it may."""
    if not o.wanted or o.run.status.stopping is not None or not record.state.cancellable:
        return None
    due = earliest(active_deadline(o), _pre_running_deadline(o, record))
    return due if due is not None and due > now else None


def _pre_running_deadline(o: RunObservation, record: RunRecord) -> datetime | None:
    """Return until when the attempt has to have a machine."""
    seconds, since = o.run.spec.pre_running_deadline_seconds, record.accepted_at
    if seconds is None or since is None or record.state is not RunState.ACCEPTED:
        return None
    return since + timedelta(seconds=seconds)
