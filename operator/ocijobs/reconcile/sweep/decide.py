"""The decision about an OCIJobSweep: it binds to its job once, then keeps its children going."""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.reasons import Reason
from ocijobs.api.run_binding import JobBinding
from ocijobs.api.sweep_status import OCIJobSweepStatus, SweepPhase
from ocijobs.reconcile.blocking import earliest
from ocijobs.reconcile.decision import Action, Decision, DeleteObject
from ocijobs.reconcile.dependencies import Hopeless, Waiting, evaluate, wanted_of
from ocijobs.reconcile.serving import Hindrance, missing_job, serving
from ocijobs.reconcile.sweep.children import cancel_children, create_children, suspend_children
from ocijobs.reconcile.sweep.ending import ended, failing
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.reconcile.sweep.points import problem, total
from ocijobs.reconcile.sweep.status import write_blocked, write_status
from ocijobs.reconcile.sweep.tally import Tally, count

_ROUNDING = timedelta(seconds=1)


def decide_sweep(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Decide what is to be done about a sweep. Total, deterministic, without effects."""
    meta, status = o.sweep.metadata, o.sweep.status
    if meta.paused or meta.deleting:
        return Decision(status=status)
    if status.phase is not None and status.phase.terminal:
        return _after_the_end(o, now)
    tally = count(o)
    if o.sweep.spec.cancel:
        return _cancel(o, tally, now)
    if status.binding is None:
        return _begin(o, now)
    if (end := ended(o, tally, now)) is not None:
        return Decision(status=end)
    if failing(o, tally):
        return _fail(o, tally, now)
    if o.sweep.spec.suspend:
        return _suspend(o, tally, now)
    return _go_on(o, tally, now)


def _begin(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Decide about a sweep that has no children yet: what it waits for, and the job that it binds to."""
    spec, status = o.sweep.spec, o.sweep.status
    if (wrong := problem(spec)) is not None:
        return Decision(status=_failed(o, now, Reason.INVALID_SPEC, wrong))
    if spec.suspend:
        return _suspend(o, count(o), now)
    outcome = evaluate(
        wanted_of(spec.depends_on, spec.run_template.spec.env), status.dependencies, o.relations
    )
    if isinstance(outcome, Hopeless):
        return Decision(status=_failed(o, now, outcome.reason, outcome.message))
    if isinstance(outcome, Waiting):
        met = {"dependencies": outcome.dependencies, "total": total(spec)}
        blocked, state = write_blocked(
            o, now, Reason.WAITING_FOR_DEPENDENCY, outcome.message, **met
        )
        return Decision(status=blocked, wake_at=state.stalls_at)
    settle = timedelta(seconds=o.settings.launch_settle_seconds)
    settled_at = o.sweep.metadata.creation_timestamp + _ROUNDING + settle
    if now < settled_at:
        return Decision(status=status, wake_at=settled_at)
    bound = _bind(o, settled_at)
    if isinstance(bound, Hindrance):
        return _hindered(o, bound, now)
    status = write_status(
        o,
        now,
        phase=SweepPhase.RUNNING,
        reason=Reason.RUNNING,
        message=f"bound to revision {bound.revision} of OCIJob {spec.job_ref.name}",
        binding=bound,
        dependencies=outcome.dependencies,
        start_time=now,
        total=total(spec),
    )
    return Decision(status=status)


def _bind(o: SweepObservation, settled_at: datetime) -> JobBinding | Hindrance:
    """Return the job as all children are launched from it."""
    if o.job is None:
        return missing_job(o.sweep.spec.job_ref.name, o.sweep.metadata.namespace)
    bound = serving(o.job, o.identity, checked_at=o.job_checked_at, settled_at=settled_at)
    return bound if isinstance(bound, Hindrance) else bound[0]


def _hindered(
    o: SweepObservation, hindrance: Hindrance, now: datetime
) -> Decision[OCIJobSweepStatus]:
    actions: tuple[Action, ...] = ()
    if hindrance.action is not None:
        actions = (hindrance.action,)
    if hindrance.reason is None:
        return Decision(status=o.sweep.status, actions=actions)
    status, state = write_blocked(
        o, now, hindrance.reason, hindrance.message, total=total(o.sweep.spec)
    )
    return Decision(status=status, actions=actions, wake_at=state.stalls_at)


def _go_on(o: SweepObservation, tally: Tally, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Keep as many children going as may be at a time."""
    if o.known.refused is not None and tally.all_ended:
        message = f"spec.runTemplate: the API server refuses the run: {o.known.refused}"
        return Decision(status=_failed(o, now, Reason.INVALID_SPEC, message))
    new = create_children(o, tally) if o.known.refused is None else ()
    actions: tuple[Action, ...] = (*suspend_children(o, tally, suspend=False), *new)
    stranger = next(iter(sorted(o.strangers)), None)
    reason, message = Reason.RUNNING, f"{tally.total} runs, {o.sweep.spec.parallelism} at a time"
    if stranger is not None and not tally.active:
        reason = Reason.NAME_TAKEN
        message = (
            f"there is an OCIJobRun {o.sweep.metadata.name}-{stranger} which is not of this sweep: "
            "delete it, or create a sweep of another name"
        )
    status = write_status(
        o, now, phase=SweepPhase.RUNNING, reason=reason, message=message, **tally.changes()
    )
    if (hold := _counts_hold(o, status, now)) is not None:
        return Decision(status=o.sweep.status, actions=actions, wake_at=hold)
    return Decision(status=status, actions=actions)


def _counts_hold(o: SweepObservation, status: OCIJobSweepStatus, now: datetime) -> datetime | None:
    """Return until when a write is put off that would change counts alone."""
    former, written_at = o.sweep.status, o.known.written_at
    told = ("phase", "observed_generation", "conditions")
    if written_at is None or any(getattr(status, n) != getattr(former, n) for n in told):
        return None
    until = written_at + timedelta(seconds=o.settings.aggregate_interval_seconds)
    return until if status != former and now < until else None


def _suspend(o: SweepObservation, tally: Tally, now: datetime) -> Decision[OCIJobSweepStatus]:
    status = write_status(
        o,
        now,
        phase=SweepPhase.SUSPENDED,
        reason=Reason.SUSPENDED,
        message="spec.suspend is true: runs are suspended, and none is created",
        **tally.changes(),
    )
    return Decision(status=status, actions=suspend_children(o, tally, suspend=True))


def _cancel(o: SweepObservation, tally: Tally, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Cancel what is there; the sweep has ended when that has."""
    phase, message = SweepPhase.CANCELLING, f"cancelling {len(tally.active)} runs"
    reason = Reason.CANCELLING
    changes = tally.changes()
    if tally.all_ended:
        phase, reason, message = (
            SweepPhase.CANCELLED,
            Reason.CANCELLED,
            "cancelled by spec.cancel",
        )
        changes["completion_time"] = now
    else:
        changes = {}
    status = write_status(o, now, phase=phase, reason=reason, message=message, **changes)
    if phase is SweepPhase.CANCELLING and o.sweep.status.phase is phase:
        status = o.sweep.status
    return Decision(status=status, actions=cancel_children(o, tally))


def _fail(o: SweepObservation, tally: Tally, now: datetime) -> Decision[OCIJobSweepStatus]:
    """End the children that are left of a sweep that has failed."""
    message = (
        f"{len(tally.failed)} runs have failed, and spec.maxFailedRuns is "
        f"{o.sweep.spec.max_failed_runs}: the others are cancelled"
    )
    former = o.sweep.status
    if former.phase is SweepPhase.CANCELLING:
        return Decision(status=former, actions=cancel_children(o, tally))
    status = write_status(
        o,
        now,
        phase=SweepPhase.CANCELLING,
        reason=Reason.MAX_FAILED_RUNS_EXCEEDED,
        message=message,
        **tally.changes(),
    )
    return Decision(status=status, actions=cancel_children(o, tally))


def _failed(o: SweepObservation, now: datetime, reason: Reason, message: str) -> OCIJobSweepStatus:
    return write_status(
        o, now, phase=SweepPhase.FAILED, reason=reason, message=message, completion_time=now
    )


def _after_the_end(o: SweepObservation, now: datetime) -> Decision[OCIJobSweepStatus]:
    """Let the sweep expire, with its children."""
    status, seconds = o.sweep.status, o.sweep.spec.ttl_seconds_after_finished
    if seconds is None or status.completion_time is None or o.relations.awaited:
        return Decision(status=status)
    expires_at = status.completion_time + timedelta(seconds=seconds)
    if now < expires_at:
        return Decision(status=status, wake_at=earliest(expires_at))
    return Decision(status=status, actions=(DeleteObject(),))
