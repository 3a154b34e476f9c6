"""An open intent of a run: what `reconcile/idempotency.py` asks for, said and done for a job run.

An intent may be gone, too: of a run that is not wanted any more and whose status somebody has wiped, what it may have
in OCI is looked for. One that is wanted needs none of that: its next intent begins with a search.
"""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.orphan import Leftovers, UnknownLaunch
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus, RunSubmission
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal
from ocijobs.reconcile.actions.identities import CopyCredentials
from ocijobs.reconcile.actions.runs import CreateRun, SearchRuns
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, Blocker, describe, earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.idempotency import (
    CreateOnce,
    Free,
    Nothing,
    Refused,
    Repeat,
    Search,
    Wait,
)
from ocijobs.reconcile.known.run import attempt_number
from ocijobs.reconcile.release import release
from ocijobs.reconcile.run.gates import Launch
from ocijobs.reconcile.run.intent import blocked_by, drop, intend, queue_again, run_token
from ocijobs.reconcile.run.observation import RunObservation, lost_admission
from ocijobs.reconcile.run.prelaunch import await_launch, prepare, too_late
from ocijobs.reconcile.run.request import run_owner
from ocijobs.reconcile.run.status import write_blocked, write_status

_SEARCHING = (
    "whether an earlier call reached OCI is not known; looking for the run before creating it"
)


def resolve_intent(
    o: RunObservation, submit: RunSubmission, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Decide about a run whose intent is recorded and whose job run is not."""
    if (released := _release(o, submit, now)) is not None:
        return released
    protocol = _protocol(o, submit)
    match protocol.step(now):
        case Free(called=called):
            return _free(o, submit, now, called=called)
        case Refused(refusal=refusal):
            return _refused(o, refusal, now) if o.wanted else drop(o, now)
        case Repeat():
            return _repeat(o, submit, protocol, now)
        case other:
            return _look(o, submit, protocol, other, now)


def search(o: RunObservation, submit: RunSubmission, now: datetime) -> Decision[OCIJobRunStatus]:
    """Look for what an intent may have made that is in no status any more."""
    protocol = _protocol(o, submit)
    return _look(o, submit, protocol, protocol.search(now), now)


def _protocol(o: RunObservation, submit: RunSubmission) -> CreateOnce:
    genuine = run_token(o.run.metadata.uid, submit.attempt, submit.job_id, submit.incarnation)
    return CreateOnce(
        submit=submit,
        genuine=submit.token == genuine,
        created_at=o.run.metadata.creation_timestamp,
        evidence=o.known.evidence.of(submit.token),
        epoch=o.epoch,
        seed=o.run.metadata.uid,
        settings=o.settings,
        invalid_retries=o.run.spec.submission_retry_limit,
    )


def _free(
    o: RunObservation, submit: RunSubmission, now: datetime, *, called: bool
) -> Decision[OCIJobRunStatus]:
    """Nothing is in OCI: launch as things are now, if the run is still wanted."""
    if not o.wanted:
        return drop(o, now)
    if o.run.spec.suspend or too_late(o, now) is not None:
        return await_launch(o, now)
    if lost_admission(o):
        return queue_again(o, now)
    launch = prepare(o, now)
    if isinstance(launch, Blocker):
        return blocked_by(o, now, launch)
    if _same(launch, submit):
        return Decision(status=o.run.status, actions=(_create(o, submit, launch),))
    incarnation = submit.incarnation + (1 if called else 0)
    return Decision(status=intend(o, now, launch, incarnation=incarnation))


def _repeat(
    o: RunObservation, submit: RunSubmission, protocol: CreateOnce, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Repeat the call if its request can be built again; a run that is not wanted is found so, too.

    What Kueue does not admit any more is not repeated, as that could create it.
    """
    launch = prepare(o, now)
    if isinstance(launch, Launch) and _same(launch, submit) and not lost_admission(o):
        return Decision(status=o.run.status, actions=(_create(o, submit, launch),))
    if isinstance(launch, Blocker) and launch.reason is None and o.wanted:
        return blocked_by(o, now, launch)
    # What a run that is not wanted waits for may never come: its sweep may be gone with it.
    return _look(o, submit, protocol, protocol.search(now), now)


def _look(
    o: RunObservation,
    submit: RunSubmission,
    protocol: CreateOnce,
    step: Search | Wait | Nothing,
    now: datetime,
) -> Decision[OCIJobRunStatus]:
    if isinstance(step, Nothing):
        return queue_again(o, now) if o.wanted and lost_admission(o) else await_launch(o, now)
    caller = o.identity.caller(submit.region)
    if caller is None and o.identity.obstacle is None:
        return Decision(status=o.run.status)
    reason, message = o.identity.obstacle or _under_way(submit, protocol, step)
    status, state = write_blocked(o, now, reason, message)
    if isinstance(step, Wait) or caller is None:
        until = step.until if isinstance(step, Wait) else None
        return Decision(status=status, wake_at=earliest(until, state.stalls_at))
    action = SearchRuns(
        caller=caller,
        token=submit.token,
        compartment_id=submit.compartment_id,
        job_id=submit.job_id,
        owner=run_owner(o),
        epoch=o.epoch,
    )
    return Decision(status=status, actions=(action,), wake_at=state.stalls_at)


def _under_way(
    submit: RunSubmission, protocol: CreateOnce, step: Search | Wait
) -> tuple[Reason, str]:
    """Return what is being done about the intent, and what is in its way."""
    creating = isinstance(step, Wait) and not step.searching
    where = submit.compartment_id
    doing = f"creating the job run in compartment {where}" if creating else _SEARCHING
    trouble = protocol.trouble()
    if trouble is None:
        return Reason.SEARCHING, doing
    return REASON_OF_REFUSAL[trouble.kind], describe(doing, trouble)


def _refused(o: RunObservation, refusal: Refusal, now: datetime) -> Decision[OCIJobRunStatus]:
    return Decision(
        status=write_status(
            o,
            now,
            phase=Phase.FAILED,
            reason=Reason.SUBMISSION_FAILED,
            message=describe("OCI refused to create the job run", refusal),
            completion_time=now,
        )
    )


def _release(
    o: RunObservation, submit: RunSubmission, now: datetime
) -> Decision[OCIJobRunStatus] | None:
    if not o.run.metadata.deleting:
        return None
    unknown = UnknownLaunch(owner=run_owner(o), job_id=submit.job_id)
    let_go = release(o.releasable, now, o.settings, left=Leftovers(unknown=(unknown,)))
    if let_go is None:
        return None
    return Decision(status=o.run.status, actions=let_go.actions, notes=let_go.notes)


def _same(launch: Launch, submit: RunSubmission) -> bool:
    """Whether the launch is the one that the intent is of."""
    return (
        launch.request_digest == submit.request_digest
        and launch.request.job_id == submit.job_id
        and (launch.caller.identity, launch.caller.region) == (submit.identity, submit.region)
    )


def _create(
    o: RunObservation, submit: RunSubmission, launch: Launch
) -> CreateRun | CopyCredentials:
    return o.identity.copy_first or CreateRun(
        caller=launch.caller, token=submit.token, request=launch.request, epoch=o.epoch
    )


def perhaps_launched(o: RunObservation) -> bool:
    """Whether something of a run that is not wanted may be in OCI, although its status has no intent.

    A finalizer comes just before the first intent; so without a status it was set a moment ago, or the status is gone.
    """
    known, status = o.known, o.run.status
    if o.wanted or not o.run.metadata.has_finalizer or known.fresh or o.run.spec.adopt is not None:
        return False
    empty = status.phase is None or known.found_empty
    return empty and known.unlaunched != attempt_number(status)


def look_first(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Look for the attempt that may be in OCI: what is found is followed and ended as any other.

    Where it can't be looked for, since its job, its sweep or the credentials are gone, the run is given up: most were
    never launched, and nobody would ever end its deletion.
    """
    launch = prepare(o, now)
    if isinstance(launch, Blocker):
        passes = launch.action is not None or launch.wake_at is not None
        return blocked_by(o, now, launch) if launch.reason is None and passes else drop(o, now)
    intended = intend(o, now, launch, incarnation=0)
    if o.known.record is not None:
        return Decision(status=intended)
    submit = intended.submit
    if submit is None or o.known.evidence.of(submit.token).empty_at:
        return drop(o, now)
    return search(o, submit, now)
