"""A deleted run whose job run has ended: it goes, with or without OCI's record of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.job import DeletionPolicy
from ocijobs.api.job_run import OCIJobRunStatus
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, describe
from ocijobs.reconcile.decision import (
    Decision,
    DeleteRun,
    LookUpRun,
    Note,
    NoteType,
    RemoveFinalizer,
)
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.release import release_without_credentials
from ocijobs.reconcile.remote import Operation
from ocijobs.reconcile.run.absence import gone
from ocijobs.reconcile.run.observation import RunObservation


def discard(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Let the run go once OCI's record is as `spec.deletionPolicy` wants it."""
    if not o.run.metadata.has_finalizer:
        return Decision(status=o.run.status)
    run_id, submit = o.run.status.job_run_id, o.run.status.submit
    call = o.known.calls.get(Operation.DELETE)
    done = (call is not None and call.refusal is None) or gone(o)
    retain = o.run.spec.deletion_policy is DeletionPolicy.RETAIN
    if retain or run_id is None or submit is None or done:
        return Decision(status=o.run.status, actions=(RemoveFinalizer(),))
    notes = release_without_credentials(
        o.run.metadata, o.identity, now, o.settings, left=(f"the record of job run {run_id}",)
    )
    if notes is not None:
        return Decision(status=o.run.status, actions=(RemoveFinalizer(),), notes=notes)
    caller = o.identity.caller(submit.region)
    if caller is None:
        return Decision(status=o.run.status, notes=_why(o))
    look_up = LookUpRun(
        caller=caller, compartment_id=submit.compartment_id, run_id=run_id, epoch=o.epoch
    )
    delete = DeleteRun(caller=caller, run_id=run_id, epoch=o.epoch)
    action, due = _next(o, look_up, delete)
    if due is not None and now < due:
        return Decision(status=o.run.status, wake_at=due, notes=_why(o))
    return Decision(status=o.run.status, actions=(action,))


def _next(
    o: RunObservation, look_up: LookUpRun, delete: DeleteRun
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
    call = o.known.calls.get(Operation.DELETE)
    if call is None or call.refusal is None or call.tries != 1:
        return ()
    message = describe("deleting the record of the job run", call.refusal)
    reason = REASON_OF_REFUSAL[call.refusal.kind]
    return (Note(type=NoteType.WARNING, reason=reason, message=message),)
