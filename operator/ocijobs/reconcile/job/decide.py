"""The decision about an OCIJob: which policy has the word."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ocijobs.api.job.status import OCIJobStatus, Revision
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.actions.calls import Launcher
from ocijobs.reconcile.blocking import HELD, Blocker, earliest, to_come
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.job.adoption import Seen, adopt, look, observe
from ocijobs.reconcile.job.creation import create, open_intent
from ocijobs.reconcile.job.deletion import delete_job
from ocijobs.reconcile.job.drift import is_gone
from ocijobs.reconcile.job.observation import JobObservation, Turn
from ocijobs.reconcile.job.place import Place, find_caller, find_place
from ocijobs.reconcile.job.plan import Plan, make_plan
from ocijobs.reconcile.job.readiness import clear_away, make_ready
from ocijobs.reconcile.job.reading import Reading, reading, serves_current_spec, unreachable
from ocijobs.reconcile.job.status import counts_deferred_until, write_blocked, write_status
from ocijobs.reconcile.release import release_at
from ocijobs.reconcile.standing import Standing

_ABOUT_SOURCE = {
    Reason.WAITING_FOR_SOURCE: Reason.SOURCE_UNREACHABLE,
    Reason.SOURCE_UNREACHABLE: Reason.SOURCE_UNREACHABLE,
    Reason.SOURCE_QUARANTINED: Reason.SOURCE_QUARANTINED,
    Reason.STAGING_FULL: Reason.STAGING_FULL,
}
"""Reasons why a source was not read, and that of a job which serves all the same."""


def decide_job(o: JobObservation, now: datetime) -> Decision[OCIJobStatus]:
    """Decide what is to be done about a job. Total, deterministic, without effects."""
    if o.job.metadata.paused:
        return Decision(status=o.job.status)
    if o.job.metadata.deleting:
        deletion = delete_job(o, now)
        release = release_at(o.job.metadata, o.identity, o.settings)
        return replace(deletion, wake_at=earliest(deletion.wake_at, to_come(release, now)))
    due = reading(o, now)
    if (step := _read(o, due, now)) is not None:
        return step
    decision = _decide(o, now)
    deferred = counts_deferred_until(o, decision.status, now)
    return replace(
        decision,
        status=o.job.status if deferred is not None else decision.status,
        wake_at=earliest(decision.wake_at, due.due_at, deferred),
    )


def _read(o: JobObservation, due: Reading, now: datetime) -> Decision[OCIJobStatus] | None:
    """Read the sources, if that is due: wait for the turn, record the attempt, read."""
    status = o.job.status
    if due.attempt is not None:
        message = f"reading the source at version {due.attempt.version}"
        status = _first_status(o, message, now).changed(reading=due.attempt)
        return Decision(status=status, reads=True)
    if due.waits:
        if o.turn is Turn.WAITING:
            message = (
                f"waits until other sources are read: {o.settings.source_workers} are at a time, and of one namespace "
                "half as many (setting sourceWorkers)"
            )
            status = _first_status(o, message, now)
        return Decision(status=status, reads=True)
    if due.action is not None:
        actions = (due.action,)
        return Decision(status=status, actions=actions, reads=o.job.spec.reads_remotely)
    return None


def _first_status(o: JobObservation, message: str, now: datetime) -> OCIJobStatus:
    """Return a status that tells what is done about a spec of which none has told yet."""
    ready = find(o.job.status.conditions, ConditionType.READY)
    told = o.job.status.observed_generation == o.job.metadata.generation
    if told and ready is not None and ready.reason != Reason.READING_SOURCE:
        return o.job.status
    return write_status(
        o, now, standing=Standing.PROGRESSING, reason=Reason.READING_SOURCE, message=message
    )


def _decide(o: JobObservation, now: datetime) -> Decision[OCIJobStatus]:
    caller = find_caller(o)
    if not isinstance(caller, Launcher):
        return _without(o, caller, now)
    seen = _seen(o, caller)
    if isinstance(seen, Blocker):
        return _without(o, seen, now)
    place = find_place(o, caller, seen.record if seen is not None else None)
    plan = make_plan(o, place, now) if isinstance(place, Place) else place
    if seen is not None and o.job.spec.observed_only:
        return observe(o, caller, seen, plan if isinstance(plan, Plan) else None, now)
    if not isinstance(plan, Plan):
        return _without(o, plan, now)
    if seen is not None:
        return adopt(o, plan, seen.record, now)
    return _keep(o, plan, now)


def _is_adopted(o: JobObservation) -> bool:
    """Whether the OCI job of spec.adopt was made one of this object's."""
    adopted = o.job.status.adopted
    return adopted is not None and adopted.kept and not o.job.spec.observed_only


def _seen(o: JobObservation, caller: Launcher) -> Seen | Blocker | None:
    """Return the OCI job that is to be adopted and is not yet."""
    adoption = o.job.spec.adopt
    if adoption is None or _is_adopted(o):
        return None
    return look(o, adoption, caller)


def _revision(o: JobObservation, name: str) -> Revision | None:
    return next((r for r in o.job.status.revisions if r.name == name), None)


def _not_made(o: JobObservation, revision: Revision | None) -> Blocker | None:
    """Return why nothing may be made of the spec in OCI."""
    if revision is None and o.job.spec.runtime is None:
        message = (
            "spec.adopt: the adopted OCI job is gone, and without spec.runtime no other can be made"
        )
        return Blocker(reason=Reason.REMOTE_DELETED, message=message, terminal=True)
    if o.held and o.job.status.submit is None and not o.job.status.revisions:
        return Blocker(reason=Reason.HELD, message=HELD)
    return None


def _keep(o: JobObservation, plan: Plan, now: datetime) -> Decision[OCIJobStatus]:
    """Bring OCI to the plan."""
    submit = o.job.status.submit
    if submit is not None and submit.revision != plan.revision:
        # A revision that is not wanted any more: whether it was made must be known first.
        return open_intent(o, submit, None, now)
    revision = _revision(o, plan.revision)
    if (blocker := _not_made(o, revision)) is not None:
        return _blocked_by(o, blocker, now)
    if revision is None or submit is not None or (revision.removing and is_gone(o, revision)):
        return create(o, plan, now)
    if revision.removing:
        return clear_away(o, plan, revision, now)
    return make_ready(o, plan, revision, now)


def _without(o: JobObservation, blocker: Blocker | None, now: datetime) -> Decision[OCIJobStatus]:
    """Decide where there is no plan yet, or none at all."""
    return _blocked_by(o, blocker, now) if blocker is not None else Decision(status=o.job.status)


def _blocked_by(o: JobObservation, blocker: Blocker, now: datetime) -> Decision[OCIJobStatus]:
    """Say what keeps the job from being synced. What was built last goes on serving a spec that did not change."""
    reason, actions = blocker.reason, blocker.actions_at(now)
    if reason is None:
        return Decision(status=o.job.status, actions=actions, wake_at=blocker.wakes_at(now))
    if reason in _ABOUT_SOURCE and serves_current_spec(o):
        status = write_status(
            o,
            now,
            standing=Standing.READY,
            reason=_ABOUT_SOURCE[reason],
            message=f"revision {o.job.status.revision} goes on serving: {blocker.message}",
        )
        sources, failed = o.known.sources, unreachable(o, now)
        at = sources.checked_at if sources is not None and sources.missing is not None else None
        return Decision(status=status, sources_checked_at=failed.at if failed is not None else at)
    if blocker.terminal:
        return Decision(
            status=write_status(
                o, now, standing=Standing.STALLED, reason=reason, message=blocker.message
            )
        )
    status, state = write_blocked(o, now, reason, blocker.message)
    return Decision(
        status=status,
        actions=actions,
        wake_at=earliest(state.stalls_at, blocker.wakes_at(now)),
    )
