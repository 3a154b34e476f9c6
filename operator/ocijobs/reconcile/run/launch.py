"""Gates before a launch that make its request: when it is time, the values of its variables, the request itself."""

from __future__ import annotations

from dataclasses import replace

from ocijobs.api.run.binding import JobBinding, RunTemplate
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.binding import bind
from ocijobs.backends.environment import all_variables, references
from ocijobs.backends.requests import RunCreation
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.runs import ReadValues
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.run.attempts import retry_at
from ocijobs.reconcile.run.bound_job import settled_at
from ocijobs.reconcile.run.data_science_request import job_run_request, outputs_of
from ocijobs.reconcile.run.dependencies import with_results
from ocijobs.reconcile.run.draft import JOB_UNKNOWN, Draft, Launch
from ocijobs.reconcile.run.request import Sent, request_digest
from ocijobs.reconcile.run.spark_request import application_run_request
from ocijobs.reconcile.serving import Hindrance


def settled(draft: Draft) -> Hindrance | None:
    """The rest of the same apply has arrived, and the pause after a failed attempt is over."""
    o = draft.o
    arrived = settled_at(o)
    retry = retry_at(o.run.status, o.run.metadata.uid, o.settings)
    due = max(arrived, retry or arrived)
    return Hindrance(wake_at=due) if due > draft.now else None


def values_read(draft: Draft) -> Draft | Hindrance | None:
    """Hand on what the variables' references give, read no earlier than the run was settled."""
    o = draft.o
    keys = references(_sent(draft).variables)
    if not keys:
        return None
    known = o.known
    if (
        known.values is not None
        and known.values_at is not None
        and known.values_at >= settled_at(o)
    ):
        return replace(draft, values=known.values)
    call = known.calls.get(Operation.READ_VALUES)
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    return Hindrance(
        reason=Reason.WAITING_FOR_VALUE if call and call.refusal else None,
        message=f"spec.env: {call.refusal.message}" if call and call.refusal else "",
        action=ReadValues(keys=keys, epoch=o.epoch),
        wake_at=due,
    )


def request_built(draft: Draft) -> Draft | Hindrance:
    """Hand on the launch; what is asked for may be nothing that OCI can do."""
    o, job, caller, sent = draft.o, draft.job, draft.caller, _sent(draft)
    application = sent.template.application
    if job is None or caller is None or not _located(job, of_spark=application is not None):
        return JOB_UNKNOWN
    request: RunCreation | str
    if application is not None:
        request, outputs = application_run_request(o, job, sent, application), None
    else:
        request, outputs = job_run_request(o, job, sent), outputs_of(job, sent)
    if isinstance(request, str):
        return Hindrance(reason=Reason.INVALID_SPEC, message=request, fatal=True)
    launch = Launch(
        caller=caller,
        request=request,
        request_digest=request_digest(request, sent),
        revision=job.revision,
        binding=bind(job, sent.settings, sent.values, outputs),
    )
    return replace(draft, launch=launch)


def _sent(draft: Draft) -> Sent:
    template = (draft.job.template if draft.job is not None else None) or RunTemplate()
    settings = with_results(draft.o)
    return Sent(template, settings, all_variables(template, settings), draft.values)


def _located(job: JobBinding, *, of_spark: bool) -> bool:
    """Whether it is known where the job is; applications have no project."""
    return bool(job.job_id and job.compartment_id and (job.project_id or of_spark))
