"""Deleting a job: its live runs end first, then its OCI jobs go, then the object."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.orphan import Leftovers, UnknownLaunch
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.digest import owner_tag
from ocijobs.reconcile.actions.objects import RemoveFinalizer
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, describe, earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.job.creation import open_intent
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.removal import RemovalStep, remove_revision
from ocijobs.reconcile.job.status import counts_deferred_until, write_blocked, write_status
from ocijobs.reconcile.release import release
from ocijobs.reconcile.standing import Standing

_NAMED_RUNS = 5


def delete_job(o: JobObservation, now: datetime) -> Decision[OCIJobStatus]:
    """Decide about a job that is being deleted."""
    meta, status = o.job.metadata, o.job.status
    if not meta.has_finalizer:
        return Decision(status=status)
    live = sorted(run.name for run in o.runs if run.live)
    if live and not meta.abandoned:
        return _wait_for_runs(o, live, now)
    if o.job.spec.retained:
        return Decision(status=status, actions=(RemoveFinalizer(),))
    if (let_go := release(o.releasable, now, o.settings, left=_left(o))) is not None:
        return Decision(status=status, actions=let_go.actions, notes=let_go.notes)
    if status.submit is not None:
        return open_intent(o, status.submit, None, now)
    if not status.revisions:
        return Decision(status=status, actions=(RemoveFinalizer(),))
    return _remove_next(o, now)


def _left(o: JobObservation) -> Leftovers:
    """Return what of the job is in OCI, or may be."""
    status = o.job.status
    folders = {r.artifact.uri for r in status.revisions if r.artifact and r.artifact.uri}
    unknown: tuple[UnknownLaunch, ...] = ()
    if (submit := status.submit) is not None:
        owner = owner_tag(cluster_id=o.cluster_id, uid=o.job.metadata.uid, subject=submit.revision)
        unknown = (UnknownLaunch(owner=owner),)
    return Leftovers(
        job_ids=tuple(revision.job_id for revision in status.revisions),
        code_uris=tuple(sorted(folders - o.code_in_use)),
        unknown=unknown,
    )


def _wait_for_runs(o: JobObservation, live: list[str], now: datetime) -> Decision[OCIJobStatus]:
    named = ", ".join(live[:_NAMED_RUNS]) + (", …" if len(live) > _NAMED_RUNS else "")
    status = write_status(
        o,
        now,
        standing=Standing.PROGRESSING,
        reason=Reason.WAITING_FOR_RUNS,
        message=f"live runs of this job must end first: {named}",
    )
    deferred = counts_deferred_until(o, status, now)
    return Decision(status=o.job.status if deferred else status, wake_at=deferred)


def _remove_next(o: JobObservation, now: datetime) -> Decision[OCIJobStatus]:
    status = o.job.status
    revision = status.revisions[0]
    caller = o.identity.caller(status.region)
    if caller is None or status.compartment_id is None:
        if o.identity.obstacle is None:
            return Decision(status=status)
        reason, message = o.identity.obstacle
        blocked_status, state = write_blocked(o, now, reason, message)
        return Decision(status=blocked_status, wake_at=state.stalls_at)
    step = remove_revision(o, caller, status.compartment_id, revision, now)
    if step.done and len(status.revisions) == 1:
        # The last one: the object goes, so no status is worth writing.
        return Decision(status=status, actions=(RemoveFinalizer(),), notes=step.notes)
    told = _tell(o, step, revision.job_id, now)
    if step.done:
        return replace(
            told,
            status=told.status.changed(revisions=status.revisions[1:]),
            notes=step.notes,
        )
    return told


def _tell(
    o: JobObservation, step: RemovalStep, job_id: str, now: datetime
) -> Decision[OCIJobStatus]:
    """Return the step with a status that says what is going on."""
    if step.refusal is not None:
        message = describe(f"deleting OCI job {job_id}", step.refusal)
        status, state = write_blocked(o, now, REASON_OF_REFUSAL[step.refusal.kind], message)
        return Decision(
            status=status, actions=step.actions, wake_at=earliest(step.wake_at, state.stalls_at)
        )
    reason, message = Reason.DELETING, f"deleting OCI job {job_id}"
    if step.active:
        reason = Reason.WAITING_FOR_RUNS
        message = f"{step.active} runs of OCI job {job_id} are active that no OCIJobRun here is of"
    status = write_status(o, now, standing=Standing.PROGRESSING, reason=reason, message=message)
    return Decision(status=status, actions=step.actions, wake_at=step.wake_at)
