"""An open intent: create once, whatever happens between the intent and the answer.

A call's outcome may be unknown: the process died, or the answer did not come. Then the same request is sent with
the same token, which OCI answers with the run that it made (for 24 hours). Where that can't be done (the token is
old, the request would be another one, OCI answers 4xx), OCI is searched for the run's owner tag, and only two
complete searches that found nothing, minutes apart, prove that there is none: OCI's lists lag.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.job_run import OCIJobRunStatus, Phase, RunSubmission
from ocijobs.api.reasons import Reason
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, describe, earliest
from ocijobs.reconcile.decision import (
    Caller,
    CreateRun,
    Decision,
    RemoveFinalizer,
    SearchRuns,
)
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.release import release_without_credentials
from ocijobs.reconcile.remote import Call, Operation, Refusal, RefusalKind
from ocijobs.reconcile.run.gate import await_launch, drop, hindered, intend
from ocijobs.reconcile.run.launch import Hindrance, Launch, prepare, run_owner
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.status import write_blocked, write_status

_SENT_NOTHING = frozenset({RefusalKind.THROTTLED, RefusalKind.UNAVAILABLE})
"""Answers after which repeating the call tells more than a search would."""


def resolve_intent(
    o: RunObservation, submit: RunSubmission, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Decide about a run whose intent is recorded and whose job run is not."""
    fresh = o.known.written_token == submit.token
    call = o.known.calls.get(Operation.CREATE)
    if fresh and not o.known.doubt:
        if not o.wanted:
            return drop(o, now)
        return _carry_out(o, submit, call, now)
    return _clear_doubt(o, submit, call, now)


def _carry_out(
    o: RunObservation, submit: RunSubmission, call: Call | None, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Nothing can be in OCI: every call with the token was made by this process and refused."""
    refusal = call.refusal if call else None
    if refusal is not None and refusal.kind is RefusalKind.INVALID:
        return _refused_for_good(o, refusal, now)
    if refusal is not None and refusal.kind is RefusalKind.TOKEN_SPENT:
        return _clear_doubt(o, submit, call, now)
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    if refusal is not None and due is not None and now < due:
        return _waiting(o, now, refusal, due)
    prepared = prepare(o, now)
    if isinstance(prepared, Hindrance):
        return hindered(o, now, prepared)
    if not _same(prepared, submit):
        return Decision(
            status=intend(o, now, prepared, incarnation=submit.incarnation + (1 if call else 0))
        )
    return Decision(status=o.run.status, actions=(_create(o, submit, prepared),))


def _clear_doubt(
    o: RunObservation, submit: RunSubmission, call: Call | None, now: datetime
) -> Decision[OCIJobRunStatus]:
    """A run may be in OCI: repeat the call where that is sure to find it, else search."""
    if (released := _release(o, submit, now)) is not None:
        return released
    refusal = call.refusal if call else None
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    repeatable = refusal is None or refusal.kind in _SENT_NOTHING
    young = now - submit.started_at < timedelta(seconds=o.settings.token_lifetime_seconds)
    if repeatable and young:
        if refusal is not None and due is not None and now < due:
            return _waiting(o, now, refusal, due)
        prepared = prepare(o, now)
        if isinstance(prepared, Hindrance) and prepared.reason is None:
            return hindered(o, now, prepared)
        if isinstance(prepared, Launch) and _same(prepared, submit):
            return Decision(status=o.run.status, actions=(_create(o, submit, prepared),))
    return _search(o, submit, refusal, now)


def _search(
    o: RunObservation, submit: RunSubmission, refusal: Refusal | None, now: datetime
) -> Decision[OCIJobRunStatus]:
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    empty = o.known.empty_at
    if empty and empty[-1] - empty[0] >= confirm:
        return _nothing_there(o, now)
    call = o.known.calls.get(Operation.SEARCH)
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    if due is None and empty:
        due = empty[0] + confirm
    caller = o.identity.caller(submit.region)
    message = (
        "whether an earlier call reached OCI is not known: searching for the run before creating it"
    )
    if call is not None and call.refusal is not None:
        reason, message = REASON_OF_REFUSAL[call.refusal.kind], describe(message, call.refusal)
    elif refusal is not None and refusal.kind is not RefusalKind.TOKEN_SPENT:
        reason, message = REASON_OF_REFUSAL[refusal.kind], describe(message, refusal)
    else:
        reason = Reason.SEARCHING
    if caller is None:
        reason, message = o.identity.obstacle or (reason, message)
    status, state = write_blocked(o, now, reason, message)
    if caller is None or (due is not None and now < due):
        return Decision(status=status, wake_at=earliest(due, state.stalls_at))
    action = SearchRuns(
        caller=caller,
        compartment_id=submit.compartment_id,
        job_id=submit.job_id,
        owner=run_owner(o),
        epoch=o.epoch,
    )
    return Decision(status=status, actions=(action,), wake_at=state.stalls_at)


def _nothing_there(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Two complete searches found nothing: the intent was never carried out, so it is given up."""
    if not o.wanted:
        return drop(o, now)
    return await_launch(o, now)


def _refused_for_good(
    o: RunObservation, refusal: Refusal, now: datetime
) -> Decision[OCIJobRunStatus]:
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


def _waiting(
    o: RunObservation, now: datetime, refusal: Refusal, due: datetime
) -> Decision[OCIJobRunStatus]:
    status, state = write_blocked(
        o, now, REASON_OF_REFUSAL[refusal.kind], describe("creating the job run", refusal)
    )
    return Decision(status=status, wake_at=earliest(due, state.stalls_at))


def _release(
    o: RunObservation, submit: RunSubmission, now: datetime
) -> Decision[OCIJobRunStatus] | None:
    if not o.run.metadata.deleting:
        return None
    notes = release_without_credentials(
        o.run.metadata,
        o.identity,
        now,
        o.settings,
        left=(f"a run of OCI job {submit.job_id}, if any",),
    )
    if notes is None:
        return None
    return Decision(status=o.run.status, actions=(RemoveFinalizer(),), notes=notes)


def _same(launch: Launch, submit: RunSubmission) -> bool:
    """Whether the launch is the one that the intent is of."""
    return (
        launch.request_digest == submit.request_digest
        and launch.request.job_id == submit.job_id
        and launch.caller == Caller(identity=submit.identity, region=submit.region)
    )


def _create(o: RunObservation, submit: RunSubmission, launch: Launch) -> CreateRun:
    return CreateRun(
        caller=launch.caller, token=submit.token, request=launch.request, epoch=o.epoch
    )
