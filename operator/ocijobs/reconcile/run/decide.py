"""The decision about an OCIJobRun: which policy has the word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.model import DeletionPolicy
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.backends.registry import unknown_type
from ocijobs.reconcile.actions.objects import AddFinalizer, DeleteObject, RemoveFinalizer
from ocijobs.reconcile.blocking import earliest, to_come
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.release import release_at
from ocijobs.reconcile.run.collecting import look_again
from ocijobs.reconcile.run.finalizing import finalize, kept_records
from ocijobs.reconcile.run.following import follow
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.prelaunch import await_launch
from ocijobs.reconcile.run.queueing import sync_workload
from ocijobs.reconcile.run.status import write_status
from ocijobs.reconcile.run.submission import look_first, perhaps_launched, resolve_intent
from ocijobs.reconcile.standing import Headline, Standing, of_ended

_ENDS: Mapping[Phase | None, tuple[Standing, Reason]] = {
    Phase.SUCCEEDED: (Standing.SUCCEEDED, Reason.SUCCEEDED),
    Phase.FAILED: (Standing.FAILED, Reason.RUN_FAILED),
    Phase.CANCELLED: (Standing.FAILED, Reason.CANCELLED),
}
"""What conditions say of a run that has ended, where nothing of them is left."""


def decide_run(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Decide what is to be done about a run. Total, deterministic, without effects."""
    decision = sync_workload(o, _decide(o, now), now)
    release = release_at(o.run.metadata, o.identity, o.settings)
    notes = tuple(replace(note, message=o.shown(note.message)) for note in decision.notes)
    wake_at = earliest(decision.wake_at, to_come(release, now))
    return replace(decision, notes=notes, wake_at=wake_at)


def _decide(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    meta, status = o.run.metadata, o.run.status
    if meta.paused:
        return Decision(status=status)
    if status.ended:
        after = _after_the_end(o, now)
        return after if meta.deleting else _upheld(after, meta.generation, now)
    if status.submit is None:
        return _without_intent(o, now)
    if status.job_run_id is not None:
        return follow(o, status.submit, status.job_run_id, now)
    if o.known.record is not None:
        bound = _bound(o, o.known.record)
        return follow(bound, status.submit, o.known.record.id, now)
    return resolve_intent(o, status.submit, now)


def _without_intent(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Decide about a run whose status has nothing of OCI."""
    if o.wanted and (problem := _of_unknown_service(o)) is not None:
        return Decision(
            status=write_status(
                o,
                now,
                phase=Phase.FAILED,
                reason=Reason.INVALID_SPEC,
                message=problem,
                completion_time=now,
            )
        )
    return look_first(o, now) if perhaps_launched(o) else await_launch(o, now)


def _of_unknown_service(o: RunObservation) -> str | None:
    """Return which OCID of the spec is of no service that runs jobs, in words."""
    spec = o.run.spec
    named = {
        "spec.jobId": spec.job_id,
        "spec.adopt.jobRunId": spec.adopt.job_run_id if spec.adopt is not None else None,
    }
    for field, ocid in named.items():
        if ocid is not None and (unknown := unknown_type(ocid)) is not None:
            return f"{field}: {unknown}"
    return None


def _upheld(
    decision: Decision[OCIJobRunStatus], generation: int, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Have the status of a run that has ended be of the current generation, and say its end in its conditions.

    Tools wait for both: whoever edits the spec or the status later changes neither.
    """
    status = decision.status
    standing, reason = _ENDS[status.phase]
    message = status.lifecycle_details or "the run has ended"
    headline = Headline(standing=standing, reason=reason, message=message)
    told = of_ended(status.conditions, headline, generation=generation, now=now)
    if status.observed_generation == generation and told == status.conditions:
        return decision
    return replace(decision, status=status.changed(observed_generation=generation, conditions=told))


def _bound(o: RunObservation, record: RunRecord) -> RunObservation:
    """Return the observation with the record that the intent turned out to be."""
    status = o.run.status.changed(job_run_id=record.id)
    return replace(o, run=o.run.model_copy(update={"status": status}))


def _after_the_end(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Look after a run that has ended: its finalizer, what comes late, and its expiry."""
    meta, spec, status = o.run.metadata, o.run.spec, o.run.status
    if meta.deleting:
        return finalize(o, now)
    kept = any(attempt.lifecycle_state != RunState.DELETED for attempt in status.attempts)
    deletable = o.backend is None or o.backend.deletes_records
    needed = spec.deletion_policy is DeletionPolicy.DELETE and kept and deletable
    if needed != meta.has_finalizer:
        if needed:
            return Decision(status=status, actions=(AddFinalizer(),))
        # Nothing holds the object any more that could tell it at its deletion.
        return Decision(status=status, actions=(RemoveFinalizer(),), notes=kept_records(o))
    expires_at = _expires_at(o)
    if expires_at is not None and now >= expires_at:
        return Decision(status=status, actions=(DeleteObject(),))
    decision = look_again(o, now)
    return replace(decision, wake_at=earliest(decision.wake_at, expires_at))


def _expires_at(o: RunObservation) -> datetime | None:
    """Return when the object is to be deleted; None where that is never, or others still wait for it."""
    seconds, ended = o.run.spec.ttl_seconds_after_finished, o.run.status.completion_time
    if seconds is None or ended is None or o.relations.awaited:
        return None
    return ended + timedelta(seconds=seconds)
