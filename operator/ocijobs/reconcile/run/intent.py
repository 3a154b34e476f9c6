"""The intent to launch: how it is written, given up, or kept from being made."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus, RunSubmission
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobRunStatusChanges
from ocijobs.backends.digest import retry_token
from ocijobs.reconcile.blocking import Blocker, earliest, to_come
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.known.run import attempt_number
from ocijobs.reconcile.run.finalizing import finalize
from ocijobs.reconcile.run.gates import Launch
from ocijobs.reconcile.run.observation import RunObservation, active_deadline
from ocijobs.reconcile.run.queueing import admitted_with, waiting
from ocijobs.reconcile.run.status import write_blocked, write_status


def blocked_by(o: RunObservation, now: datetime, blocker: Blocker) -> Decision[OCIJobRunStatus]:
    """Say what is in the way of the launch, and do what may clear it."""
    actions, wake_at = blocker.actions_at(now), blocker.wakes_at(now)
    # One that has passed is heeded once it is known whether the run is in OCI.
    deadline = to_come(active_deadline(o), now)
    if blocker.reason is None:
        return Decision(status=o.run.status, actions=actions, wake_at=earliest(wake_at, deadline))
    if blocker.terminal:
        return Decision(
            status=write_status(
                o,
                now,
                phase=Phase.FAILED,
                reason=blocker.reason,
                message=blocker.message,
                completion_time=now,
                submit=None,
            )
        )
    # A job that is being deleted waits for runs with an intent, so one that came to nothing is given up.
    given_up: JobRunStatusChanges = {"submit": None} if blocker.reason is Reason.JOB_DELETED else {}
    status, state = write_blocked(o, now, blocker.reason, blocker.message, **given_up)
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
        return finalize(o, now)
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
