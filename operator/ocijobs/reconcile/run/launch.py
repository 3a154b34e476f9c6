"""Gates before a launch that make its request: when it is time, the values of its variables, the request itself."""

from __future__ import annotations

from dataclasses import replace

from ocijobs.api.run.binding import JobBinding, RunTemplate
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.backend import Backend
from ocijobs.backends.binding import bind
from ocijobs.backends.environment import references, reserved_problem
from ocijobs.backends.records import Operation
from ocijobs.backends.registry import find_backend
from ocijobs.reconcile.decision import ReadValues
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.run.attempts import retry_at
from ocijobs.reconcile.run.bound_job import settled_at
from ocijobs.reconcile.run.dependencies import with_results
from ocijobs.reconcile.run.draft import JOB_UNKNOWN, Draft, Launch
from ocijobs.reconcile.run.request import request_digest, run_input
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
    o, job = draft.o, draft.job
    backend = _backend_of(job)
    if job is None or backend is None:
        return None
    keys = references(backend.variables(job.template or RunTemplate(), with_results(o)))
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
    job, caller, backend = draft.job, draft.caller, _backend_of(draft.job)
    if job is None or caller is None or backend is None or not _located(job, backend):
        return JOB_UNKNOWN
    run = run_input(draft.o, job, with_results(draft.o), draft.values)
    variables = backend.variables(run.template, run.settings)
    request = reserved_problem(variables) or backend.run_request(run)
    if isinstance(request, str):
        return Hindrance(reason=Reason.INVALID_SPEC, message=request, fatal=True)
    launch = Launch(
        caller=caller,
        request=request,
        request_digest=request_digest(backend, request, run),
        revision=job.revision,
        binding=bind(backend, job, run.settings, run.values, backend.outputs_uri(run)),
    )
    return replace(draft, launch=launch)


def _backend_of(job: JobBinding | None) -> Backend | None:
    """Return the service that the job is of; None while it is not known."""
    return find_backend(job.job_id) if job is not None and job.job_id is not None else None


def _located(job: JobBinding, backend: Backend) -> bool:
    """Whether it is known where the job is."""
    return bool(job.compartment_id and (job.project_id or not backend.needs_project))
