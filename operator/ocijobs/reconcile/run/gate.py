"""Before the launch: what a run waits for, and the intent that ends the waiting."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.job_run_status import OCIJobRunStatus, Phase, RunSubmission
from ocijobs.api.reasons import Reason
from ocijobs.api.status_changes import JobRunStatusChanges
from ocijobs.reconcile.blocking import HELD, earliest, to_come
from ocijobs.reconcile.decision import AddFinalizer, Decision
from ocijobs.reconcile.digest import retry_token
from ocijobs.reconcile.run.adoption import adopt_run
from ocijobs.reconcile.run.attempts import attempt_number
from ocijobs.reconcile.run.dependencies import await_dependencies
from ocijobs.reconcile.run.discarding import discard
from ocijobs.reconcile.run.launch import Launch, prepare
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.queueing import admitted_with, await_admission, waiting
from ocijobs.reconcile.run.status import suspended, write_blocked, write_status
from ocijobs.reconcile.run.stopping import active_deadline
from ocijobs.reconcile.run.verdict import invalid_pattern
from ocijobs.reconcile.serving import Hindrance


def await_launch(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Decide about a run of which nothing is in OCI, and of which no call may be under way."""
    adoption = o.run.spec.adopt
    if adoption is not None and not o.run.metadata.deleting:
        return adopt_run(o, adoption, now)
    if not o.wanted:
        return drop(o, now)
    if o.run.spec.suspend:
        return Decision(status=suspended(o, now, submit=None, launch_time=None))
    if (late := too_late(o, now)) is not None:
        return Decision(status=late)
    if (before := _before_all(o, now)) is not None:
        return before
    held = Hindrance(reason=Reason.HELD, message=HELD) if _held(o) else None
    prepared = held or prepare(o, now)
    if isinstance(prepared, Launch) and o.run.metadata.has_finalizer:
        prepared = await_admission(o, prepared) or prepared
    if isinstance(prepared, Hindrance):
        return hindered(o, now, prepared)
    first = o.identity.to_hold if o.run.metadata.has_finalizer else AddFinalizer()
    if first is not None:
        # Neither object nor credentials go from now on while something of the run may be in OCI.
        return Decision(status=o.run.status, actions=(first,))
    return Decision(status=intend(o, now, prepared, incarnation=_next_incarnation(o)))


def _before_all(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus] | None:
    """Decide about what comes before any launch: a spec that can be read, and what the run waits for."""
    if (problem := invalid_pattern(o.run.spec)) is not None:
        return hindered(o, now, Hindrance(reason=Reason.INVALID_SPEC, message=problem, fatal=True))
    return await_dependencies(o, now) if o.run.status.submit is None else None


def too_late(o: RunObservation, now: datetime) -> OCIJobRunStatus | None:
    """Return the end of a run that is not in OCI and whose deadline is over."""
    deadline = active_deadline(o)
    if deadline is None or now < deadline:
        return None
    return write_status(
        o,
        now,
        phase=Phase.FAILED,
        reason=Reason.DEADLINE_EXCEEDED,
        message="spec.activeDeadlineSeconds is over, and no attempt is active",
        completion_time=now,
        submit=None,
    )


def _held(o: RunObservation) -> bool:
    return o.held and o.run.status.submit is None


def hindered(o: RunObservation, now: datetime, hindrance: Hindrance) -> Decision[OCIJobRunStatus]:
    """Say what hinders the launch, and do what may end it."""
    due = hindrance.wake_at is None or now >= hindrance.wake_at
    actions = (hindrance.action,) if hindrance.action is not None and due else ()
    wake_at = None if due else hindrance.wake_at
    # One that has passed is heeded once it is known whether the run is in OCI.
    deadline = to_come(active_deadline(o), now)
    if hindrance.reason is None:
        return Decision(status=o.run.status, actions=actions, wake_at=earliest(wake_at, deadline))
    if hindrance.fatal:
        return Decision(
            status=write_status(
                o,
                now,
                phase=Phase.FAILED,
                reason=hindrance.reason,
                message=hindrance.message,
                completion_time=now,
                submit=None,
            )
        )
    # A job that is being deleted waits for runs with an intent, so one that came to nothing is given up.
    given_up: JobRunStatusChanges = (
        {"submit": None} if hindrance.reason is Reason.JOB_DELETED else {}
    )
    status, state = write_blocked(o, now, hindrance.reason, hindrance.message, **given_up)
    return Decision(
        status=status, actions=actions, wake_at=earliest(wake_at, state.stalls_at, deadline)
    )


def queue_again(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Give up an intent of which nothing is in OCI, since Kueue does not admit the run any more."""
    status, _ = write_blocked(
        o, now, Reason.WAITING_FOR_QUEUE, waiting(o), submit=None, workload=None
    )
    return Decision(status=status)


def intend(
    o: RunObservation, now: datetime, launch: Launch, *, incarnation: int
) -> OCIJobRunStatus:
    """Return the status that records the intent to launch: written before the call is made."""
    request, number = launch.request, attempt_number(o.run.status)
    return write_status(
        o,
        now,
        phase=Phase.PENDING,
        reason=Reason.SUBMITTING,
        message=f"creating a run of OCI job {request.job_id}",
        submit=RunSubmission(
            attempt=number,
            incarnation=incarnation,
            token=run_token(o.run.metadata.uid, number, request.job_id, incarnation),
            identity=launch.caller.identity,
            region=launch.caller.region,
            compartment_id=request.compartment_id,
            job_id=request.job_id,
            request_digest=launch.request_digest,
            started_at=now,
        ),
        owner=o.owner,
        workload=admitted_with(o),
        binding=launch.binding,
        launch_time=o.run.status.launch_time or now,
        job_id=request.job_id,
        revision=launch.revision,
    )


def run_token(uid: str, number: int, job_id: str, incarnation: int) -> str:
    """Return the opc-retry-token of an attempt: of another OCI job it is another request, which has another one."""
    return retry_token(
        uid=uid,
        operation="CreateJobRun",
        subject=f"{number}/{job_id}",
        incarnation=incarnation,
    )


def drop(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Give up a run that is not wanted any more and of which nothing is in OCI."""
    if o.run.metadata.deleting:
        return discard(o, now)
    return Decision(
        status=write_status(
            o,
            now,
            phase=Phase.CANCELLED,
            reason=Reason.CANCELLED,
            message="cancelled by spec.cancel before it was launched",
            completion_time=now,
            submit=None,
        )
    )


def _next_incarnation(o: RunObservation) -> int:
    """Return the incarnation of the next intent: one more than that of an intent that was given up."""
    submit = o.run.status.submit
    return 0 if submit is None else submit.incarnation + 1
