"""The decision about an OCIJobSweep: it binds to its job once, then keeps its children going."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Unpack, assert_never

from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.phase import SweepPhase
from ocijobs.api.shared.dependency import Dependency
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobSweepStatusChanges
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.objects import DeleteObject
from ocijobs.reconcile.blocking import HELD_ANEW, Blocker, earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.dependencies import Hopeless, Met, Waiting, evaluate, wanted_of
from ocijobs.reconcile.ownership import creation_due_at
from ocijobs.reconcile.serving import missing_job, serving
from ocijobs.reconcile.settling import arrived_at, settled
from ocijobs.reconcile.sweep.children import (
    cancel_children,
    create_children,
    suspend_children,
)
from ocijobs.reconcile.sweep.ending import doomed, ended, failing
from ocijobs.reconcile.sweep.indices import child_name
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.reconcile.sweep.status import write_blocked, write_ended, write_status
from ocijobs.reconcile.sweep.tally import Tally, count
from ocijobs.reconcile.sweep_points import problem, total


def decide_sweep(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Decide what is to be done about a sweep. Total, deterministic, without effects."""
    meta, status = o.sweep.metadata, o.sweep.status
    if meta.paused or meta.deleting:
        return Decision(status=status)
    if status.ended:
        return _after_the_end(o, now)
    if status.binding is None:
        return _cancel(o, count(o), now) if o.sweep.spec.cancel else _begin(o, now)
    return _under_way(o, now)


def _under_way(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Decide about a sweep that is bound and has not ended."""
    tally = count(o)
    if o.sweep.spec.cancel and not doomed(o):
        return _cancel(o, tally, now)
    if (end := ended(o, tally, now)) is not None:
        return Decision(status=end)
    if failing(o, tally):
        return _fail(o, tally, now)
    if o.sweep.spec.suspend:
        return _suspend(o, tally, now)
    return _go_on(o, tally, now)


def _begin(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Decide about a sweep that has no children yet."""
    spec = o.sweep.spec
    if (wrong := problem(spec)) is not None:
        return Decision(status=_failed(o, now, Reason.INVALID_SPEC, wrong))
    if spec.suspend:
        return _suspend(o, count(o), now)
    return _await_others(o, now) or _await_job(o, now)


def _await_others(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus] | None:
    """Decide about a sweep that waits for others; None when all has come and is recorded."""
    spec, recorded = o.sweep.spec, o.sweep.status.dependencies
    match evaluate(wanted_of(spec.depends_on, spec.run_template.spec.env), recorded, o.relations):
        case Hopeless(reason=reason, message=message):
            return Decision(status=_failed(o, now, reason, message))
        case Waiting(dependencies=met, message=message):
            reason = Reason.WAITING_FOR_DEPENDENCY
            return _blocked(o, now, reason, message, dependencies=met)
        case Met(dependencies=met) if met != recorded:
            return Decision(status=_met(o, met, now))
        case Met():
            return None
        case outcome:
            assert_never(outcome)


def _await_job(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Bind to the job when it can serve; that is the beginning."""
    arrived = arrived_at(o.sweep.metadata.creation_timestamp, o.seen_at, bound=False)
    settled_at = settled(arrived, o.settings.launch_settle_seconds)
    if o.held:
        return _blocked(o, now, Reason.HELD, HELD_ANEW)
    if now < settled_at:
        return Decision(status=o.sweep.status, wake_at=settled_at)
    bound = _bind(o, settled_at)
    if isinstance(bound, Blocker):
        return _blocked_by(o, bound, now)
    status = write_status(
        o,
        now,
        phase=SweepPhase.RUNNING,
        reason=Reason.RUNNING,
        message=f"bound to revision {bound.revision} of OCIJob {o.sweep.spec.job_ref.name}",
        binding=bound,
        start_time=now,
        total=total(o.sweep.spec),
    )
    return Decision(status=status)


def _met(o: SweepObservation, met: tuple[Dependency, ...], now: datetime) -> OCIJobSweepStatus:
    """Return the status that records what the sweep waited for: it may go before the sweep has begun."""
    return write_status(
        o,
        now,
        phase=SweepPhase.PENDING,
        reason=Reason.PENDING,
        message="what the sweep waited for has come",
        dependencies=met,
        total=total(o.sweep.spec),
    )


def _bind(o: SweepObservation, settled_at: datetime) -> JobBinding | Blocker:
    """Return the job as all children are launched from it."""
    if o.job is None:
        return missing_job(o.sweep.spec.job_ref.name, o.sweep.metadata.namespace)
    bound = serving(
        o.job, o.identity, sources_checked_at=o.sources_checked_at, settled_at=settled_at
    )
    return bound if isinstance(bound, Blocker) else bound[0]


def _blocked_by(
    o: SweepObservation, blocker: Blocker, now: datetime
) -> Decision[OCIJobSweepStatus]:
    actions = blocker.actions_at(now)
    if blocker.reason is None:
        return Decision(status=o.sweep.status, actions=actions)
    return replace(_blocked(o, now, blocker.reason, blocker.message), actions=actions)


def _blocked(
    o: SweepObservation,
    now: datetime,
    reason: Reason,
    message: str,
    **changes: Unpack[JobSweepStatusChanges],
) -> Decision[OCIJobSweepStatus]:
    changes["total"] = total(o.sweep.spec)
    status, state = write_blocked(o, now, reason, message, **changes)
    return Decision(status=status, wake_at=state.stalls_at)


def _go_on(o: SweepObservation, tally: Tally, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Keep as many children going as may be at a time."""
    if o.known.refused is not None and tally.all_ended:
        message = f"spec.runTemplate: the API server refuses the run: {o.known.refused}"
        return Decision(status=_failed(o, now, Reason.INVALID_SPEC, message, **tally.changes()))
    due = creation_due_at(o.sweep.metadata, o.known.forbidden, o.settings)
    open_ = o.known.refused is None and (due is None or now >= due)
    new = create_children(o, tally) if open_ else ()
    reason, message = _headline(o, tally)
    status = write_status(
        o, now, phase=SweepPhase.RUNNING, reason=reason, message=message, **tally.changes()
    )
    actions: tuple[Action, ...] = (*suspend_children(o, tally, suspend=False), *new)
    decision = _paced(o, tally, status, actions, now)
    return replace(decision, wake_at=earliest(decision.wake_at, None if open_ else due))


def _headline(o: SweepObservation, tally: Tally) -> tuple[Reason, str]:
    """Return what a sweep says of itself that is going on."""
    stranger = min(o.strangers, default=None)
    if o.known.refused is not None:
        return Reason.RUNNING, f"no more runs: the API server refuses one: {o.known.refused}"
    forbidden = o.known.forbidden
    if forbidden is not None and forbidden.refusal is not None:
        return (
            Reason.CREATION_FORBIDDEN,
            f"the API server forbids another run: {forbidden.refusal.message}",
        )
    if stranger is not None and not tally.active:
        return Reason.NAME_TAKEN, (
            f"there is an OCIJobRun {child_name(o.sweep.metadata.name, stranger)} which is not of this "
            "sweep: delete it, or create a sweep of another name"
        )
    return Reason.RUNNING, f"{tally.total} runs, {o.sweep.spec.parallelism} at a time"


def _paced(
    o: SweepObservation,
    tally: Tally,
    status: OCIJobSweepStatus,
    actions: tuple[Action, ...],
    now: datetime,
) -> Decision[OCIJobSweepStatus]:
    """Decide to write a status, or put that off if it would change counts alone."""
    former, written_at = o.sweep.status, o.known.written_at
    told = ("phase", "observed_generation", "conditions")
    news = any(getattr(status, name) != getattr(former, name) for name in told)
    if written_at is None or news or tally.urgent or status == former:
        return Decision(status=status, actions=actions)
    until = written_at + timedelta(seconds=o.settings.aggregate_interval_seconds)
    if not written_at <= now < until:
        return Decision(status=status, actions=actions)
    return Decision(status=former, actions=actions, wake_at=until)


def _suspend(o: SweepObservation, tally: Tally, now: datetime) -> Decision[OCIJobSweepStatus]:
    status = write_status(
        o,
        now,
        phase=SweepPhase.SUSPENDED,
        reason=Reason.SUSPENDED,
        message="spec.suspend is true: runs are suspended, and none is created",
        **tally.changes(),
    )
    return _paced(o, tally, status, suspend_children(o, tally, suspend=True), now)


def _cancel(o: SweepObservation, tally: Tally, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Cancel what is there; the sweep has ended when that has."""
    began = o.sweep.status.phase is SweepPhase.CANCELLING
    if not began and tally.complete and (end := ended(o, tally, now)) is not None:
        # There was nothing left to be cancelled.
        return Decision(status=end)
    if tally.all_ended:
        message = "cancelled by spec.cancel"
        changes = tally.changes(completion_time=now)
        status = write_status(
            o, now, phase=SweepPhase.CANCELLED, reason=Reason.CANCELLED, message=message, **changes
        )
        return Decision(status=status)
    return _cancelling(o, tally, now, Reason.CANCELLING, "spec.cancel is true: runs are cancelled")


def _fail(o: SweepObservation, tally: Tally, now: datetime) -> Decision[OCIJobSweepStatus]:
    """End the children that are left of a sweep that has failed."""
    message = "more runs have failed than spec.maxFailedRuns allows: the others are cancelled"
    return _cancelling(o, tally, now, Reason.MAX_FAILED_RUNS_EXCEEDED, message)


def _cancelling(
    o: SweepObservation, tally: Tally, now: datetime, reason: Reason, message: str
) -> Decision[OCIJobSweepStatus]:
    status = write_status(
        o,
        now,
        phase=SweepPhase.CANCELLING,
        reason=reason,
        message=message,
        **tally.changes(),
    )
    return _paced(o, tally, status, cancel_children(o, tally), now)


def _failed(
    o: SweepObservation,
    now: datetime,
    reason: Reason,
    message: str,
    **changes: Unpack[JobSweepStatusChanges],
) -> OCIJobSweepStatus:
    changes["completion_time"] = now
    return write_status(o, now, phase=SweepPhase.FAILED, reason=reason, message=message, **changes)


def _after_the_end(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Let the sweep expire, with its children."""
    status, seconds = write_ended(o, now), o.sweep.spec.ttl_seconds_after_finished
    if seconds is None or status.completion_time is None or o.relations.awaited:
        return Decision(status=status)
    expires_at = status.completion_time + timedelta(seconds=seconds)
    if now < expires_at:
        return Decision(status=status, wake_at=expires_at)
    return Decision(status=status, actions=(DeleteObject(),))
