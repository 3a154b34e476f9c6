"""Gates before a launch that make its request: its time, what it depends on, its variables, the request itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from ocijobs.api.run.binding import JobBinding, RunTemplate
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.backend import Backend
from ocijobs.backends.binding import bind
from ocijobs.backends.environment import references, reserved_problem
from ocijobs.backends.registry import find_backend
from ocijobs.backends.values import ValueKey
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.runs import ReadValues
from ocijobs.reconcile.backoff import due_at, fraction
from ocijobs.reconcile.blocking import Blocker
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.dependencies import Hopeless, Met, Waiting, evaluate, filled_in, wanted_of
from ocijobs.reconcile.known.run import last_attempt
from ocijobs.reconcile.run.gates import JOB_UNKNOWN, Draft, Launch
from ocijobs.reconcile.run.observation import RunObservation, settled_at
from ocijobs.reconcile.run.request import request_digest, run_input
from ocijobs.reconcile.run.status import write_blocked, write_status
from ocijobs.settings import Settings


def settled(draft: Draft) -> Blocker | None:
    """The rest of the same apply has arrived, and the pause after a failed attempt is over."""
    o = draft.o
    arrived = settled_at(o)
    retry = retry_at(o.run.status, o.run.metadata.uid, o.settings)
    due = max(arrived, retry or arrived)
    return Blocker(wake_at=due) if due > draft.now else None


def values_read(draft: Draft) -> Draft | Blocker | None:
    """Hand on what the variables' references give, read no earlier than the run was settled."""
    o, keys = draft.o, _referenced(draft)
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
    return Blocker(
        reason=Reason.WAITING_FOR_VALUE if call and call.refusal else None,
        message=f"spec.env: {call.refusal.message}" if call and call.refusal else "",
        action=ReadValues(keys=keys, epoch=o.epoch),
        wake_at=due,
    )


def _referenced(draft: Draft) -> tuple[tuple[ValueKey, bool], ...]:
    """Return the keys that the variables refer to; none while the job is not known."""
    job, backend = draft.job, _backend_of(draft.job)
    if job is None or backend is None:
        return ()
    return references(backend.variables(job.template or RunTemplate(), with_results(draft.o)))


def request_built(draft: Draft) -> Draft | Blocker:
    """Hand on the launch; what is asked for may be nothing that OCI can do."""
    job, caller, backend = draft.job, draft.caller, _backend_of(draft.job)
    if job is None or caller is None or backend is None or not _located(job, backend):
        return JOB_UNKNOWN
    run = run_input(draft.o, job, with_results(draft.o), draft.values)
    variables = backend.variables(run.template, run.settings)
    request = reserved_problem(variables) or backend.run_request(run)
    if isinstance(request, str):
        return Blocker(reason=Reason.INVALID_SPEC, message=request, terminal=True)
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


def await_dependencies(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus] | None:
    """Decide about a run that has something to wait for; None when all has come and is recorded."""
    spec, recorded = o.run.spec, o.run.status.dependencies
    match evaluate(wanted_of(spec.depends_on, spec.env), recorded, o.relations):
        case Hopeless(reason=reason, message=message):
            status = write_status(
                o, now, phase=Phase.FAILED, reason=reason, message=message, completion_time=now
            )
            return Decision(status=status)
        case Waiting(dependencies=met, message=message):
            status, state = write_blocked(
                o, now, Reason.WAITING_FOR_DEPENDENCY, message, dependencies=met
            )
            return Decision(status=status, wake_at=state.stalls_at)
        case Met(dependencies=met) if met != recorded:
            status = write_status(
                o,
                now,
                phase=Phase.PENDING,
                reason=Reason.PENDING,
                message="what the run waited for has come",
                dependencies=met,
            )
            return Decision(status=status)
        case Met():
            return None
        case outcome:
            assert_never(outcome)


def with_results(o: RunObservation) -> RunSettings:
    """Return the run's settings with the values of others filled in, as they were recorded."""
    return o.run.spec.model_copy(
        update={"env": filled_in(o.run.spec.env, o.run.status.dependencies)}
    )


def retry_at(status: OCIJobRunStatus, uid: str, settings: Settings) -> datetime | None:
    """Return when the next attempt may be launched; None means at once.

    The pause after the n-th failure is 10 s times 2 to the power of n - 1, at most 6 minutes, as batch/v1's Job has it,
    jittered; one that the failure policy ignores is followed by a pause as well. An attempt that was suspended is not.
    """
    last = last_attempt(status)
    if last is None or status.submit is not None or last.reason is None:
        return None
    if last.completion_time is None:
        return None
    failures = sum(attempt.reason is not None for attempt in status.attempts)
    least, most = settings.retry_pause_min_seconds, settings.retry_pause_max_seconds
    pause = min(most, least * 2 ** (failures - 1))
    jittered = pause * (0.8 + 0.2 * fraction(uid, last.number))
    return last.completion_time + timedelta(seconds=jittered)
