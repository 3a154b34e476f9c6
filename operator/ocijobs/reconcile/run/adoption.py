"""Taking up a job run that is there already: it is followed like one that was launched here."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.run.binding import Binding, JobBinding
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.spec import RunAdoption
from ocijobs.api.run.status import OCIJobRunStatus, RunSubmission
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.binding import bind
from ocijobs.backends.digest import belongs_to, retry_token
from ocijobs.backends.records import RunRecord
from ocijobs.backends.registry import backend_of
from ocijobs.backends.values import NO_VALUES
from ocijobs.reconcile.actions.calls import Caller, Operation
from ocijobs.reconcile.actions.objects import AddFinalizer
from ocijobs.reconcile.actions.runs import LookUpRun
from ocijobs.reconcile.backoff import due_at, mended_at
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.request import run_input
from ocijobs.reconcile.run.status import write_blocked, write_status
from ocijobs.reconcile.serving import bind_job

_FIRST_ATTEMPT = 0


def adopt_run(o: RunObservation, adoption: RunAdoption, now: datetime) -> Decision[OCIJobRunStatus]:
    """Decide about a run that is to be the job run which spec.adopt names."""
    caller = o.identity.launcher(o.job.status.region if o.job is not None else None)
    compartment_id = _compartment(o)
    if caller is None or compartment_id is None:
        return _nowhere(o, caller, now)
    if not o.run.metadata.has_finalizer:
        return Decision(status=o.run.status, actions=(AddFinalizer(),))
    if (copy := o.identity.copy_first) is not None:
        return Decision(status=o.run.status, actions=(copy,))
    record = o.known.record
    if record is None or record.id != adoption.job_run_id:
        return _look_up(o, adoption, caller, compartment_id, now)
    if not _ours(o, adoption, record):
        owner = (record.owner or "").rpartition("/")[0]
        message = (
            f"spec.adopt.formerOwner: job run {record.id} belongs to {owner}: if that does not exist any more, "
            "name it here to take the job run over"
        )
        return Decision(status=_fail(o, message, now))
    return Decision(status=_bound(o, caller, record, now))


def _nowhere(o: RunObservation, caller: Caller | None, now: datetime) -> Decision[OCIJobRunStatus]:
    """Say what lacks for a look at the job run: somebody who may look, or the place."""
    blocker = o.identity.blocks_start
    if blocker is None and caller is None:
        return Decision(status=o.run.status)
    reason, message = blocker or (
        Reason.WAITING_FOR_JOB,
        "spec.adopt: neither the OCIJob nor the identity tells the compartment",
    )
    status, state = write_blocked(o, now, reason, message)
    return Decision(status=status, wake_at=state.stalls_at)


def _compartment(o: RunObservation) -> str | None:
    recorded = o.job.status.compartment_id if o.job is not None else None
    return recorded or o.identity.defaults.compartment_id


def _look_up(
    o: RunObservation, adoption: RunAdoption, caller: Caller, compartment_id: str, now: datetime
) -> Decision[OCIJobRunStatus]:
    action = LookUpRun(
        caller=caller, compartment_id=compartment_id, run_id=adoption.job_run_id, epoch=o.epoch
    )
    call = o.known.calls.get(Operation.LOOK_UP)
    if call is None:
        return Decision(status=o.run.status, actions=(action,))
    refusal = call.refusal
    reason, why = (
        Reason.NOT_AUTHORIZED_OR_NOT_FOUND,
        "OCI has it not, or the identity may not see it",
    )
    if refusal is not None:
        reason, why = REASON_OF_REFUSAL[refusal.kind], refusal.message
    status, state = write_blocked(
        o, now, reason, f"spec.adopt.jobRunId: job run {adoption.job_run_id}: {why}"
    )
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    if refusal is None:
        due = mended_at(call, seed=o.run.metadata.uid, settings=o.settings)
    if due is not None and now < due:
        return Decision(status=status, wake_at=earliest(due, state.stalls_at))
    return Decision(status=status, actions=(action,), wake_at=state.stalls_at)


def _ours(o: RunObservation, adoption: RunAdoption, record: RunRecord) -> bool:
    owners = (o.owner, adoption.former_owner)
    return record.owner is None or any(belongs_to(record.owner, owner) for owner in owners)


def _fail(o: RunObservation, message: str, now: datetime) -> OCIJobRunStatus:
    return write_status(
        o,
        now,
        phase=Phase.FAILED,
        reason=Reason.INVALID_SPEC,
        message=message,
        completion_time=now,
    )


def _bound(o: RunObservation, caller: Caller, record: RunRecord, now: datetime) -> OCIJobRunStatus:
    """Return the status of a run that has its job run: what it is doing comes with the next look."""
    submit = RunSubmission(
        attempt=_FIRST_ATTEMPT,
        token=retry_token(
            uid=o.run.metadata.uid, operation="Adopt", subject=record.id, incarnation=0
        ),
        identity=caller.identity,
        region=caller.region,
        compartment_id=record.compartment_id,
        job_id=record.job_id,
        request_digest="",
        started_at=now,
    )
    job = bind_job(o.job, caller) if o.job is not None else None
    return write_status(
        o,
        now,
        phase=Phase.ACCEPTED,
        reason=Reason.ADOPTED,
        message=f"adopted job run {record.id}",
        owner=o.owner,
        launch_time=now,
        submit=submit,
        binding=_binding(o, job, record) if job is not None else None,
        job_id=record.job_id,
        job_run_id=record.id,
    )


def _binding(o: RunObservation, job: JobBinding, record: RunRecord) -> Binding:
    """Return what the run is bound to: its outputs are where those of the job that the job run is of would be."""
    backend = backend_of(record.id)
    of_record = {"job_id": record.job_id, "compartment_id": record.compartment_id}
    run = run_input(o, job.model_copy(update=of_record), o.run.spec, NO_VALUES)
    return bind(backend, job, o.run.spec, NO_VALUES, backend.outputs_uri(run))
