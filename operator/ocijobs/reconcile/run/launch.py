"""What a run is launched with, or what hinders its launch.

The same function serves the first launch and the rebuilding of a request after a crash: what is built from the same
objects is the same request, and its digest says whether the objects are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocijobs.api.environment import EnvVar
from ocijobs.api.reasons import Reason
from ocijobs.api.run_binding import Binding, JobBinding, RunTemplate
from ocijobs.reconcile.decision import Launcher, ReadValues
from ocijobs.reconcile.environment import NO_VALUES, Values, references
from ocijobs.reconcile.job.variables import all_variables
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.remote import Operation
from ocijobs.reconcile.requests import RunCreation
from ocijobs.reconcile.run.attempts import retry_at
from ocijobs.reconcile.run.binding import bind
from ocijobs.reconcile.run.bound_job import bound_job, settled_at
from ocijobs.reconcile.run.data_science_request import job_run_request, outputs_of
from ocijobs.reconcile.run.dependencies import with_results
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.request import Sent, request_digest
from ocijobs.reconcile.run.spark_request import application_run_request
from ocijobs.reconcile.serving import Hindrance


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that a launch needs: as whom, what is sent, and what is recorded of it."""

    caller: Launcher
    request: RunCreation
    request_digest: str
    revision: str | None
    binding: Binding


def prepare(o: RunObservation, now: datetime) -> Launch | Hindrance:
    """Return the launch of the run as things are, or the first thing that hinders it."""
    settled = settled_at(o)
    retry = retry_at(o.run.status, o.run.metadata.uid, o.settings)
    if (due := max(settled, retry or settled)) > now:
        return Hindrance(wake_at=due)
    bound = bound_job(o)
    if isinstance(bound, Hindrance):
        return bound
    job, caller = bound
    settings = with_results(o)
    template = job.template or RunTemplate()
    variables = all_variables(template, settings)
    values = _values(o, variables, settled)
    if isinstance(values, Hindrance):
        return values
    return _launch(o, job, caller, Sent(template, settings, variables, values))


def _values(
    o: RunObservation, variables: tuple[EnvVar, ...], settled_at: datetime
) -> Values | Hindrance:
    """Return what the variables' references give, read no earlier than the run was settled."""
    keys = references(variables)
    if not keys:
        return NO_VALUES
    known = o.known
    if known.values is not None and known.values_at is not None and known.values_at >= settled_at:
        return known.values
    call = known.calls.get(Operation.READ_VALUES)
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    return Hindrance(
        reason=Reason.WAITING_FOR_VALUE if call and call.refusal else None,
        message=f"spec.env: {call.refusal.message}" if call and call.refusal else "",
        action=ReadValues(keys=keys, epoch=o.epoch),
        wake_at=due,
    )


def _launch(o: RunObservation, job: JobBinding, caller: Launcher, sent: Sent) -> Launch | Hindrance:
    application = sent.template.application
    if not (job.job_id and job.compartment_id and (job.project_id or application is not None)):
        return Hindrance(reason=Reason.WAITING_FOR_JOB, message="the OCI job is not known yet")
    request: RunCreation | str
    if application is not None:
        request, outputs = application_run_request(o, job, sent, application), None
    else:
        request, outputs = job_run_request(o, job, sent), outputs_of(job, sent)
    if isinstance(request, str):
        return Hindrance(reason=Reason.INVALID_SPEC, message=request, fatal=True)
    return Launch(
        caller=caller,
        request=request,
        request_digest=request_digest(request, sent),
        revision=job.revision,
        binding=bind(job, sent.settings, sent.values, outputs),
    )
