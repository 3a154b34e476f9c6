"""A deleted run whose job run has ended: it goes, with or without OCI's record of it."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.job import DeletionPolicy
from ocijobs.api.job_run import OCIJobRunStatus
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, describe
from ocijobs.reconcile.decision import Decision, DeleteRun, Note, NoteType, RemoveFinalizer
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.release import release_without_credentials
from ocijobs.reconcile.remote import Operation
from ocijobs.reconcile.run.observation import RunObservation


def discard(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Let the run go once OCI's record is as `spec.deletionPolicy` wants it."""
    if not o.run.metadata.has_finalizer:
        return Decision(status=o.run.status)
    run_id, submit = o.run.status.job_run_id, o.run.status.submit
    call = o.known.calls.get(Operation.DELETE)
    done = call is not None and call.refusal is None
    retain = o.run.spec.deletion_policy is DeletionPolicy.RETAIN
    if retain or run_id is None or submit is None or done:
        return Decision(status=o.run.status, actions=(RemoveFinalizer(),))
    notes = release_without_credentials(
        o.run.metadata, o.identity, now, o.settings, left=(f"the record of job run {run_id}",)
    )
    if notes is not None:
        return Decision(status=o.run.status, actions=(RemoveFinalizer(),), notes=notes)
    caller = o.identity.caller(submit.region)
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    if caller is None or (due is not None and now < due):
        return Decision(status=o.run.status, wake_at=due, notes=_why(o))
    return Decision(
        status=o.run.status, actions=(DeleteRun(caller=caller, run_id=run_id, epoch=o.epoch),)
    )


def _why(o: RunObservation) -> tuple[Note, ...]:
    call = o.known.calls.get(Operation.DELETE)
    if call is None or call.refusal is None or call.tries != 1:
        return ()
    message = describe("deleting the record of the job run", call.refusal)
    reason = REASON_OF_REFUSAL[call.refusal.kind]
    return (Note(type=NoteType.WARNING, reason=reason, message=message),)
