"""Which job a run is launched from: bound before, bound now, or what hinders that."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.job import OCIJob
from ocijobs.api.reasons import Reason
from ocijobs.api.run_binding import JobBinding, RunTemplate
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL
from ocijobs.reconcile.decision import Caller, CreateObject, Launcher, LookUpJob
from ocijobs.reconcile.job.application import application_of
from ocijobs.reconcile.ownership import belongs
from ocijobs.reconcile.pacing import due_at, mended_at
from ocijobs.reconcile.remote import Operation
from ocijobs.reconcile.requests import ApplicationRequest, JobCreation, SingleNode
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.own_job import own_job
from ocijobs.reconcile.serving import Hindrance, launcher_of, missing_job, not_ready, serving
from ocijobs.reconcile.settling import arrived_at, settled


def settled_at(o: RunObservation) -> datetime:
    """Return from when on the run may be launched: the rest of the same apply arrives before.

    A sweep's children need not wait: the sweep did.
    """
    bound = o.run.status.binding is not None
    arrived = arrived_at(o.run.metadata.creation_timestamp, o.seen_at, bound=bound)
    if o.shared is not None:
        return arrived
    return settled(arrived, o.settings.launch_settle_seconds)


def bound_job(o: RunObservation) -> tuple[JobBinding, Launcher] | Hindrance:
    """Return the job that the run is launched from, and as whom, or the first thing that hinders it."""
    if o.run.spec.job_id is not None:
        return _outside(o, o.run.spec.job_id)
    if o.of_sweep and o.shared is None and not o.run.status.attempts:
        # Its sweep is not seen yet, or is gone, and then the run goes, too.
        return Hindrance()
    job = o.job
    if job is None:
        return _missing_job(o)
    if (hindrance := _not_to_be_run(o, job)) is not None:
        return hindrance
    former = _former(o, job)
    if isinstance(former, Hindrance):
        return former
    hindrance = not_ready(job) if former is None else None
    if (hindrance := hindrance or _turn(o, job)) is not None:
        return hindrance
    if former is not None:
        caller = launcher_of(o.identity, former.region)
        return caller if isinstance(caller, Hindrance) else (former, caller)
    return serving(job, o.identity, checked_at=o.job_checked_at, settled_at=settled_at(o))


def _not_to_be_run(o: RunObservation, job: OCIJob) -> Hindrance | None:
    """Return why the OCIJob of that name is not for this run, whatever its state."""
    if o.run.spec.job_template is not None and not belongs(job.metadata, o.run.metadata):
        return Hindrance(
            reason=Reason.NAME_TAKEN,
            message=(
                f"spec.jobTemplate: there is an OCIJob {job.metadata.name} which is not of this run: "
                "delete it, or create a run of another name"
            ),
        )
    if job.metadata.deleting:
        return Hindrance(
            reason=Reason.JOB_DELETED, message=f"OCIJob {job.metadata.name} is being deleted"
        )
    return None


def _former(o: RunObservation, job: OCIJob) -> JobBinding | Hindrance | None:
    """Return the job as the run's first attempt, or its sweep, was bound to it."""
    binding: JobBinding | None = o.run.status.binding
    if binding is None or not o.run.status.attempts:
        binding = o.shared
    if binding is None or binding.template is None:
        return None
    if binding.job_uid != job.metadata.uid:
        return Hindrance(
            reason=Reason.JOB_DELETED,
            message=(
                f"the OCIJob {job.metadata.name} that the run is bound to was deleted; one of the same "
                "name is another: create another OCIJobRun"
            ),
            fatal=True,
        )
    of_revision = (r.job_id for r in job.status.revisions if r.name == binding.revision)
    # An OCI job that others deleted is made again, under another OCID.
    return binding.model_copy(update={"job_id": next(of_revision, binding.job_id)})


def _missing_job(o: RunObservation) -> Hindrance:
    name = o.run.job_name or ""
    if o.run.status.attempts or o.shared is not None:
        return Hindrance(
            reason=Reason.JOB_DELETED,
            message=f"the OCIJob {name} that the run is bound to was deleted: there is nothing to run",
            fatal=True,
        )
    if o.known.refused is not None:
        message = f"spec.jobTemplate: the API server refuses the OCIJob: {o.known.refused}"
        return Hindrance(reason=Reason.INVALID_SPEC, message=message, fatal=True)
    if o.run.spec.job_template is not None:
        return Hindrance(action=CreateObject(document=own_job(o.run)))
    return missing_job(name, o.run.metadata.namespace)


def _turn(o: RunObservation, job: OCIJob) -> Hindrance | None:
    """Return that as many runs of the job are active as may be, the run's own intent excepted."""
    most = job.spec.max_active_runs
    if most is None or o.ahead < most or o.run.status.submit is not None:
        return None
    return Hindrance(
        reason=Reason.MAX_ACTIVE_RUNS,
        message=f"spec.maxActiveRuns of OCIJob {job.metadata.name} is {most}: waiting for its turn",
    )


def _outside(o: RunObservation, job_id: str) -> tuple[JobBinding, Launcher] | Hindrance:
    """Return an OCI job that no OCIJob has: where it is, and what its runs start, is read from OCI once."""
    former = o.run.status.binding
    bound = former if former is not None and former.template and o.run.status.attempts else None
    caller = launcher_of(o.identity, bound.region if bound is not None else None)
    if isinstance(caller, Hindrance):
        return caller
    if bound is not None:
        return bound, caller
    compartment_id = o.identity.defaults.compartment_id
    record, call = o.job_known.record, o.job_known.calls.get(Operation.LOOK_UP)
    if record is not None and record.content is not None:
        return _foreign(job_id, record.content, caller), caller
    look_up = LookUpJob(
        caller=caller, compartment_id=compartment_id or "", job_id=job_id, epoch=o.epoch
    )
    if call is None:
        return Hindrance(action=look_up)
    reason, why = (
        Reason.NOT_AUTHORIZED_OR_NOT_FOUND,
        "OCI has it not, or the identity may not see it",
    )
    if call.refusal is not None:
        reason, why = REASON_OF_REFUSAL[call.refusal.kind], call.refusal.message
    if record is not None and record.unreadable:
        reason, why = Reason.INVALID_SPEC, f"{record.unreadable} is not known to this operator"
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    if call.refusal is None:
        due = mended_at(call, seed=o.run.metadata.uid, settings=o.settings)
    return Hindrance(
        reason=reason, message=f"spec.jobId: {job_id}: {why}", action=look_up, wake_at=due
    )


def _foreign(job_id: str, content: JobCreation, caller: Caller) -> JobBinding:
    """Return the binding to an OCI job: its variables stay by themselves, the rest of a block is sent with it."""
    return JobBinding(
        job_id=job_id,
        identity=caller.identity,
        region=caller.region,
        compartment_id=content.compartment_id,
        project_id=content.project_id,
        template=_foreign_template(content),
    )


def _foreign_template(content: JobCreation) -> RunTemplate:
    if isinstance(content, ApplicationRequest):
        return RunTemplate(application=application_of(content), made_elsewhere=True)
    workload = content.workload
    configuration = workload.configuration if isinstance(workload, SingleNode) else None
    return RunTemplate(
        command_line_arguments=configuration.command_line_arguments if configuration else None,
        maximum_runtime_in_minutes=(
            configuration.maximum_runtime_in_minutes if configuration else None
        ),
    )
