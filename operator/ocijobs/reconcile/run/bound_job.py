"""Gates before a launch that concern the job: bound before, bound now, or looked up in OCI."""

from __future__ import annotations

from dataclasses import replace

from ocijobs.api import kinds
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.registry import backend_of
from ocijobs.backends.requests import JobCreation
from ocijobs.reconcile.actions.calls import Call, Caller, Operation
from ocijobs.reconcile.actions.jobs import LookUpJob
from ocijobs.reconcile.actions.objects import CreateObject
from ocijobs.reconcile.backoff import due_at, mended_at
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, Blocker
from ocijobs.reconcile.ownership import belongs, owned_object
from ocijobs.reconcile.run.gates import Draft
from ocijobs.reconcile.run.observation import RunObservation, settled_at
from ocijobs.reconcile.serving import bind_job, going, launcher_of, missing_job, not_ready, unread


def sweep_seen(draft: Draft) -> Blocker | None:
    """A sweep binds once for all its runs. One that is gone takes its runs with it."""
    o = draft.o
    if o.run.spec.job_id is None and o.of_sweep and o.shared is None and not o.run.status.attempts:
        return Blocker()
    return None


def job_there(draft: Draft) -> Blocker | None:
    """Nothing can be run whose OCIJob does not exist."""
    o = draft.o
    if o.run.spec.job_id is not None or o.job is not None:
        return None
    name = o.run.job_name or ""
    if o.run.status.attempts or o.shared is not None:
        return Blocker(
            reason=Reason.JOB_DELETED,
            message=f"the OCIJob {name} that the run is bound to was deleted: there is nothing to run",
            terminal=True,
        )
    if o.known.refused is not None:
        message = f"spec.jobTemplate: the API server refuses the OCIJob: {o.known.refused}"
        return Blocker(reason=Reason.INVALID_SPEC, message=message, terminal=True)
    if o.run.spec.job_template is not None:
        return Blocker(action=CreateObject(document=own_job(o.run), name=name))
    return missing_job(name, o.run.metadata.namespace)


def job_meant(draft: Draft) -> Blocker | None:
    """An OCIJob that has the name of the one in spec.jobTemplate may be somebody else's."""
    run, job = draft.o.run, _ocijob(draft.o)
    if job is None or run.spec.job_template is None or belongs(job.metadata, run.metadata):
        return None
    return Blocker(
        reason=Reason.NAME_TAKEN,
        message=(
            f"spec.jobTemplate: there is an OCIJob {job.metadata.name} which is not of this run: "
            "delete it, or create a run of another name"
        ),
    )


def job_stays(draft: Draft) -> Blocker | None:
    """An OCIJob that is being deleted waits for its runs, so it gets no further ones."""
    job = _ocijob(draft.o)
    return going(job) if job is not None else None


def job_as_bound(draft: Draft) -> Draft | Blocker | None:
    """Hand on the job as the run's first attempt, or its sweep, was bound to it."""
    o, job = draft.o, _ocijob(draft.o)
    former = _former(o)
    if former is None or job is None:
        return replace(draft, job=former)
    if former.job_uid != job.metadata.uid:
        return Blocker(
            reason=Reason.JOB_DELETED,
            message=(
                f"the OCIJob {job.metadata.name} that the run is bound to was deleted; one of the same "
                "name is another: create another OCIJobRun"
            ),
            terminal=True,
        )
    of_revision = (r.job_id for r in job.status.revisions if r.name == former.revision)
    # An OCI job that others deleted is made again, under another OCID.
    job_id = next(of_revision, former.job_id)
    return replace(draft, job=former.model_copy(update={"job_id": job_id}))


def job_ready(draft: Draft) -> Blocker | None:
    """A first attempt takes the job as it is now."""
    job = _ocijob(draft.o)
    return not_ready(job) if job is not None and draft.job is None else None


def turn_come(draft: Draft) -> Blocker | None:
    """As many runs of the job are active as may be, the run's own intent excepted."""
    o, job = draft.o, _ocijob(draft.o)
    most = job.spec.max_active_runs if job is not None else None
    if job is None or most is None or o.ahead < most or o.run.status.submit is not None:
        return None
    return Blocker(
        reason=Reason.MAX_ACTIVE_RUNS,
        message=f"spec.maxActiveRuns of OCIJob {job.metadata.name} is {most}: waiting for its turn",
    )


def sources_read(draft: Draft) -> Blocker | None:
    """The code that a first attempt takes is no older than the run."""
    o, job = draft.o, _ocijob(draft.o)
    if job is None or draft.job is not None:
        return None
    return unread(job, sources_checked_at=o.sources_checked_at, settled_at=settled_at(o))


def identity_usable(draft: Draft) -> Draft | Blocker:
    """Hand on as whom the run is launched, and a first attempt's job as it is now."""
    o, job = draft.o, _ocijob(draft.o)
    region = job.status.region if job is not None else None
    caller = launcher_of(o.identity, draft.job.region if draft.job is not None else region)
    if isinstance(caller, Blocker):
        return caller
    now_bound = bind_job(job, caller) if draft.job is None and job is not None else draft.job
    return replace(draft, caller=caller, job=now_bound)


def job_looked_up(draft: Draft) -> Draft | Blocker | None:
    """Hand on an OCI job that no OCIJob has: where it is, and what its runs start, is read from OCI once."""
    o, caller, job_id = draft.o, draft.caller, draft.o.run.spec.job_id
    if draft.job is not None or job_id is None or caller is None:
        return None
    record, call = o.job_known.record, o.job_known.calls.get(Operation.LOOK_UP)
    if record is not None and record.content is not None:
        return replace(draft, job=_foreign(job_id, record.content, caller))
    look_up = LookUpJob(
        caller=caller,
        compartment_id=o.identity.defaults.compartment_id or "",
        job_id=job_id,
        epoch=o.epoch,
    )
    if call is None:
        return Blocker(action=look_up)
    reason, why = _why_unknown(record, call)
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    if call.refusal is None:
        due = mended_at(call, seed=o.run.metadata.uid, settings=o.settings)
    return Blocker(
        reason=reason, message=f"spec.jobId: {job_id}: {why}", action=look_up, wake_at=due
    )


def _why_unknown(record: JobRecord | None, call: Call) -> tuple[Reason, str]:
    """Return what a look-up said that did not tell of the job."""
    if record is not None and record.unreadable:
        return Reason.INVALID_SPEC, f"{record.unreadable} is not known to this operator"
    if call.refusal is not None:
        return REASON_OF_REFUSAL[call.refusal.kind], call.refusal.message
    return Reason.NOT_AUTHORIZED_OR_NOT_FOUND, "OCI has it not, or the identity may not see it"


def _ocijob(o: RunObservation) -> OCIJob | None:
    """Return the OCIJob that the run is of; None for one that names an OCI job."""
    return o.job if o.run.spec.job_id is None else None


def _former(o: RunObservation) -> JobBinding | None:
    """Return the job as it was bound before, by the run's first attempt or by its sweep."""
    binding: JobBinding | None = o.run.status.binding
    if binding is None or not o.run.status.attempts:
        binding = o.shared if o.run.spec.job_id is None else None
    return binding if binding is not None and binding.template is not None else None


def _foreign(job_id: str, content: JobCreation, caller: Caller) -> JobBinding:
    """Return the binding to an OCI job that no OCIJob has."""
    return JobBinding(
        job_id=job_id,
        identity=caller.identity,
        region=caller.region,
        compartment_id=content.compartment_id,
        project_id=content.project_id,
        template=backend_of(job_id).foreign_template(content),
    )


def own_job(run: OCIJobRun) -> dict[str, object]:
    """Return the document of the run's own OCIJob: it has the run's name and labels, and goes with the run."""
    if run.spec.job_template is None:
        raise AssertionError  # pragma: no cover - callers ask for runs with a template
    return owned_object(
        run.metadata,
        kinds.RUN,
        kind=kinds.JOB,
        name=run.metadata.name,
        spec=run.spec.job_template.spec,
        labels=run.metadata.labels,
    )
