"""A deleted run whose job run has ended: it goes, with or without OCI's record of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.orphan import Leftovers
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.model import DeletionPolicy
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.actions.calls import Caller, Operation
from ocijobs.reconcile.actions.objects import RemoveFinalizer
from ocijobs.reconcile.actions.runs import DeleteRun, LookUpRun
from ocijobs.reconcile.backoff import due_at
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, describe
from ocijobs.reconcile.decision import Decision, Note
from ocijobs.reconcile.release import release
from ocijobs.reconcile.run.observation import RunObservation, gone


def finalize(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Let the run go once OCI's records of its attempts are as `spec.deletionPolicy` wants them."""
    status = o.run.status
    if not o.run.metadata.has_finalizer:
        return Decision(status=status)
    if o.backend is not None and not o.backend.deletes_records:
        return Decision(status=status, actions=(RemoveFinalizer(),), notes=kept_records(o))
    former, last = _records(o)
    if o.run.spec.deletion_policy is DeletionPolicy.RETAIN or not (former or last):
        return Decision(status=status, actions=(RemoveFinalizer(),))
    left = Leftovers(record_ids=(*former, *last))
    if (let_go := release(o.releasable, now, o.settings, left=left)) is not None:
        return Decision(status=status, actions=let_go.actions, notes=let_go.notes)
    region, compartment_id = _place(status)
    caller = o.identity.caller(region)
    if caller is None or compartment_id is None:
        return Decision(status=status, notes=_why(o))
    if former:
        call, action = o.known.calls.get(Operation.DELETE_FORMER), _delete(o, caller, former[0])
        due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    else:
        look_up = LookUpRun(
            caller=caller, compartment_id=compartment_id, run_id=last[0], epoch=o.epoch
        )
        action, due = _next(o, look_up, _delete(o, caller, last[0]))
    if due is not None and now < due:
        return Decision(status=status, wake_at=due, notes=_why(o))
    return Decision(status=status, actions=(action,))


def kept_records(o: RunObservation) -> tuple[Note, ...]:
    """Say that records stay which were to go: of some services none can be deleted."""
    run_ids = [attempt.job_run_id for attempt in o.run.status.attempts]
    if o.run.spec.deletion_policy is DeletionPolicy.RETAIN or not run_ids:
        return ()
    if o.backend is None or o.backend.deletes_records:
        return ()
    title = o.backend.title
    message = f"what OCI has of {', '.join(run_ids)} stays: {title} deletes no record of a run"
    return (Note(reason=Reason.RECORDS_REMAIN, message=message),)


def _records(o: RunObservation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the job runs whose records are still to go: of former attempts, and of the last one."""
    bound = o.run.status.job_run_id
    former = tuple(
        attempt.job_run_id
        for attempt in o.run.status.attempts
        if attempt.job_run_id != bound and attempt.job_run_id not in o.known.discarded
    )
    call = o.known.calls.get(Operation.DELETE)
    done = (call is not None and call.refusal is None) or gone(o)
    return former, (bound,) if bound is not None and not done else ()


def _place(status: OCIJobRunStatus) -> tuple[str | None, str | None]:
    """Return the region and the compartment of the run's attempts."""
    where = status.submit or status.binding
    return (where.region, where.compartment_id) if where is not None else (None, None)


def _delete(o: RunObservation, caller: Caller, run_id: str) -> LookUpRun | DeleteRun:
    former = run_id != o.run.status.job_run_id
    return DeleteRun(caller=caller, run_id=run_id, epoch=o.epoch, former=former)


def _next(
    o: RunObservation, look_up: LookUpRun, delete: LookUpRun | DeleteRun
) -> tuple[LookUpRun | DeleteRun, datetime | None]:
    """Return the next call and when it is due: a refused deletion may have been carried out before."""
    call, looked = o.known.calls.get(Operation.DELETE), o.known.calls.get(Operation.LOOK_UP)
    if o.known.absent_at:
        again = timedelta(seconds=o.settings.search_confirm_seconds)
        return look_up, o.known.absent_at[-1] + again
    if call is not None and (looked is None or looked.at < call.at):
        return look_up, None
    return delete, due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)


def _why(o: RunObservation) -> tuple[Note, ...]:
    call = o.known.calls.get(Operation.DELETE) or o.known.calls.get(Operation.DELETE_FORMER)
    if call is None or call.refusal is None or call.tries != 1:
        return ()
    message = describe("deleting the record of the job run", call.refusal)
    reason = REASON_OF_REFUSAL[call.refusal.kind]
    return (Note(reason=reason, message=message),)
