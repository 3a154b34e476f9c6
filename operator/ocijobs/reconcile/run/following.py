"""A bound run: what OCI tells of it becomes status, until it ends.

The shared poll (controller/tracker) brings records. A run that a complete poll does not list is looked up by itself:
absence from a list proves nothing. Two look-ups minutes apart, each with 404 and a complete empty list by id, prove
that the record is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ocijobs.api.orphan import Leftovers
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus, RunSubmission
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason, reason_named
from ocijobs.backends.records import RunRecord, RunState, run_state_named
from ocijobs.backends.registry import backend_of
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import Caller, Operation
from ocijobs.reconcile.actions.objects import RemoveFinalizer
from ocijobs.reconcile.actions.runs import CancelRun, LookUpRun
from ocijobs.reconcile.backoff import due_at
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, describe, earliest
from ocijobs.reconcile.decision import Decision, Followed
from ocijobs.reconcile.release import release
from ocijobs.reconcile.run.ending import end
from ocijobs.reconcile.run.observation import RunObservation, gone
from ocijobs.reconcile.run.status import reflect, write_status
from ocijobs.reconcile.run.stopping import STOPPING, next_deadline, stop_reason

_PHASES = {
    RunState.ACCEPTED: (Phase.ACCEPTED, Reason.ACCEPTED, "OCI provisions the run's infrastructure"),
    RunState.IN_PROGRESS: (Phase.RUNNING, Reason.RUNNING, "the job's code is running"),
    RunState.NEEDS_ATTENTION: (
        Phase.NEEDS_ATTENTION,
        Reason.NEEDS_ATTENTION,
        "OCI asks for attention: read status.lifecycleDetails, and cancel the run if it can't go on",
    ),
    RunState.CANCELING: (Phase.CANCELLING, Reason.CANCELLING, "OCI is ending the run"),
    RunState.STOPPING: (Phase.CANCELLING, Reason.CANCELLING, "OCI is stopping the run"),
}

_LONGEST_LAG_SECONDS = 60

_NEXT_LOOK_SECONDS = 10.0
"""Pause between two looks at a run that has ended, as a list told, and that OCI does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The call that is due, or when the next one will be."""

    action: Action | None = None
    wake_at: datetime | None = None


def follow(
    o: RunObservation, submit: RunSubmission, run_id: str, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Decide about a run that is bound to the job run `run_id` and has not ended in status."""
    if o.run.metadata.deleting:
        let_go = release(o.releasable, now, o.settings, left=Leftovers(run_ids=(run_id,)))
        if let_go is not None:
            return Decision(status=o.run.status, actions=let_go.actions, notes=let_go.notes)
    record = o.known.record
    if gone(o):
        return _deleted_behind_our_back(o, run_id, now)
    if record is not None and _told_whole(o, record, now):
        return end(o, submit, record, now)
    caller = o.identity.caller(submit.region)
    followed = None
    if caller is not None:
        followed = Followed(
            caller=caller,
            compartment_id=submit.compartment_id,
            job_id=submit.job_id,
            run_id=run_id,
        )
    look_up = LookUpRun(
        caller=caller or Caller(identity=submit.identity, region=submit.region),
        compartment_id=submit.compartment_id,
        run_id=run_id,
        epoch=o.epoch,
    )
    if caller is not None and _first_look_worthwhile(o, record):
        # What the look-up brings belongs into the same write.
        return Decision(status=o.run.status, actions=(look_up,), follow=followed)
    if record is not None and (why := stop_reason(o, record, now)) is not None:
        reason, message = STOPPING[why]
        changes = reflect(o, record) | {"stopping": why}
        status = write_status(
            o, now, phase=Phase.CANCELLING, reason=reason, message=message, **changes
        )
        return Decision(status=status, follow=followed)
    deadline = next_deadline(o, record, now) if record is not None else None
    step = _step(o, look_up, now) if caller is not None else Step()
    status = _status(o, _news(o, record), now)
    deferred = _details_deferred_until(o, status, now)
    return Decision(
        status=status if deferred is None else o.run.status,
        actions=(step.action,) if step.action is not None else (),
        wake_at=earliest(step.wake_at, deferred, deadline),
        follow=followed,
    )


def _news(o: RunObservation, record: RunRecord | None) -> RunRecord | None:
    """Return the record unless a former process wrote of a later state: the first list of this one may lag."""
    written = run_state_named(o.run.status.lifecycle_state)
    return record if record is not None and record.state.rank >= written.rank else None


def _first_look_worthwhile(o: RunObservation, record: RunRecord | None) -> bool:
    """Whether a list told of something that only the run itself tells whole: log, nodes, or how it ended."""
    if record is None or record.complete or Operation.LOOK_UP in _refused(o) or _looked(o):
        return False
    if record.state.ended:
        return True
    status = o.run.status
    if record.state is not RunState.IN_PROGRESS or status.phase is Phase.RUNNING:
        return False
    if not backend_of(record.id).lists_in_part:
        return False
    log_told = record.log is not None or (status.logs is not None and status.logs.log_id)
    several = status.binding is not None and status.binding.nodes is not None
    return several or not log_told


def _looked(o: RunObservation) -> bool:
    """Whether the run was looked up since its state was told: where get answers 404, a list is all there is."""
    call, told_at = o.known.calls.get(Operation.LOOK_UP), o.known.told_at
    return call is not None and told_at is not None and call.at >= told_at


def _told_whole(o: RunObservation, record: RunRecord, now: datetime) -> bool:
    """Whether the run has ended and OCI told all of it, or all that it will tell."""
    if record.complete or not record.state.ended:
        return record.state.ended
    wait = timedelta(seconds=o.settings.results_wait_seconds)
    return _looked(o) and o.known.ended_at is not None and now >= o.known.ended_at + wait


def _refused(o: RunObservation) -> set[Operation]:
    return {name for name, call in o.known.calls.items() if call.refusal is not None}


def _step(o: RunObservation, look_up: LookUpRun, now: datetime) -> Step:
    record = o.known.record
    if _unwanted(o) and record is not None and record.state.cancellable:
        return _cancel(o, record, look_up, now)
    due = _look_up_due(o)
    if due is None:
        return Step()
    return Step(action=look_up) if now >= due else Step(wake_at=due)


def _cancel(o: RunObservation, record: RunRecord, look_up: LookUpRun, now: datetime) -> Step:
    """Ask OCI to end the run; ask again when nothing came of it."""
    call = o.known.calls.get(Operation.CANCEL)
    looked_up = o.known.calls.get(Operation.LOOK_UP)
    if call is not None and call.refusal is None:
        due: datetime | None = call.at + timedelta(seconds=o.settings.cancel_repeat_seconds)
    elif call is not None and (looked_up is None or looked_up.at < call.at):
        # Refused: the run may have ended meanwhile.
        return Step(action=look_up)
    else:
        due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    if due is not None and now < due:
        watch = _look_up_due(o)
        if watch is not None and watch <= now:
            return Step(action=look_up)
        return Step(wake_at=earliest(due, watch))
    return Step(action=CancelRun(caller=look_up.caller, run_id=record.id, epoch=o.epoch))


def _look_up_due(o: RunObservation) -> datetime | None:
    """Return when the run is to be looked up by itself, or None while there is no need."""
    known = o.known
    call = known.calls.get(Operation.LOOK_UP)
    if call is not None and call.refusal is not None:
        return due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings) or call.at
    if known.absent_at:
        return known.absent_at[-1] + timedelta(seconds=o.settings.search_confirm_seconds)
    if call is not None and known.record is not None and known.record.state.ended:
        return call.at + timedelta(seconds=_NEXT_LOOK_SECONDS)
    if known.unlisted_at is not None:
        # A list may lag behind an active run: look less often each time that it does.
        lag = min(_LONGEST_LAG_SECONDS, 2**known.lagging - 1)
        return known.unlisted_at + timedelta(seconds=lag)
    return None


def _status(o: RunObservation, record: RunRecord | None, now: datetime) -> OCIJobRunStatus:
    former = o.run.status
    ready = find(former.conditions, ConditionType.READY)
    phase, reason, message = _PHASES[RunState.ACCEPTED]
    if ready is not None:
        phase, reason, message = former.phase or phase, reason_named(ready.reason), ready.message
    if record is not None and record.state in _PHASES:
        phase, reason, message = _PHASES[record.state]
        if o.goes_on and record.state is RunState.IN_PROGRESS:
            reason, message = Reason.STREAMING, "the run goes on until it is stopped"
        if _cancelled(o):
            phase, reason, message = _PHASES[RunState.CANCELING]
        if former.stopping is not None and o.wanted:
            phase, (reason, message) = Phase.CANCELLING, STOPPING[former.stopping]
    trouble = _trouble(o)
    if trouble is not None and phase is not Phase.NEEDS_ATTENTION:
        reason, message = trouble
    changes = reflect(o, record) if record is not None and record.state in _PHASES else {}
    return write_status(o, now, phase=phase, reason=reason, message=message, **changes)


def _unwanted(o: RunObservation) -> bool:
    """Whether the attempt is to be ended."""
    return not o.wanted or o.run.status.stopping is not None


def _cancelled(o: RunObservation) -> bool:
    """Whether OCI has taken the cancellation: of this process, or of a former one that wrote so."""
    if o.wanted:
        return False
    call = o.known.calls.get(Operation.CANCEL)
    accepted = call is not None and call.refusal is None
    return accepted or o.run.status.phase is Phase.CANCELLING


def _trouble(o: RunObservation) -> tuple[Reason, str] | None:
    """Return why nothing new is heard of the run."""
    if o.identity.obstacle is not None:
        return o.identity.obstacle
    refusal = o.known.poll_refusal
    if refusal is None:
        return None
    doing = "OCI can't be asked about the run, so what is shown is what was seen last"
    return REASON_OF_REFUSAL[refusal.kind], describe(doing, refusal)


def _details_deferred_until(
    o: RunObservation, status: OCIJobRunStatus, now: datetime
) -> datetime | None:
    """Return until when a write is put off that would change lifecycleDetails alone."""
    former, written_at = o.run.status, o.known.written_at
    alone = status.changed(lifecycle_details=former.lifecycle_details) == former
    if written_at is None or not alone or status == former:
        return None
    until = written_at + timedelta(seconds=o.settings.details_interval_seconds)
    return until if now < until else None


def _deleted_behind_our_back(
    o: RunObservation, run_id: str, now: datetime
) -> Decision[OCIJobRunStatus]:
    if o.run.metadata.deleting:
        return Decision(status=o.run.status, actions=(RemoveFinalizer(),))
    return Decision(
        status=write_status(
            o,
            now,
            phase=Phase.FAILED,
            reason=Reason.REMOTE_DELETED,
            message=f"job run {run_id} was deleted in OCI before its end was seen",
            lifecycle_state=RunState.DELETED.value,
            attempts=tuple(
                attempt.model_copy(update={"lifecycle_state": RunState.DELETED.value})
                if attempt.job_run_id == run_id
                else attempt
                for attempt in o.run.status.attempts
            ),
            completion_time=now,
        )
    )
