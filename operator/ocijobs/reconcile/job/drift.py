"""What others did to the OCI job that serves: it was changed, taken over, or deleted.

It is looked at now and then, each job at a time of its own. What the manifest says is set back or told, as
spec.driftPolicy has it; an OCI job that is proven gone is made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ocijobs.api.job.spec import DriftPolicy
from ocijobs.api.job.status import Difference, Revision
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.differences import setting_differences
from ocijobs.backends.digest import belongs_to
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.jobs import LookUpJob, UpdateJob
from ocijobs.reconcile.backoff import due_at, fraction
from ocijobs.reconcile.decision import Note
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.plan import Plan
from ocijobs.reconcile.known.oci_jobs import Watched

_GONE = frozenset({JobState.DELETED, JobState.DELETING})
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What is known of changes by others, and what is to be done next.

    Attributes:
        differences: where it is not as the manifest says, if that is known; None if it is not.
    """

    differences: tuple[Difference, ...] | None = None
    action: Action | None = None
    wake_at: datetime | None = None
    notes: tuple[Note, ...] = ()


def watch(o: JobObservation, plan: Plan, revision: Revision, now: datetime) -> Drift:
    """Return what others did to the OCI job of the current revision, as far as it is known."""
    watched = _watched(o, revision)
    look = _look(o, plan, revision, watched, now)
    if watched is None or watched.record is None or watched.record.content is None:
        return look
    record, content = watched.record, watched.record.content
    differences = (
        *_taken_over(o, record),
        *setting_differences(o.backend, plan.request.settings, content.settings),
    )
    if not differences or _taken_over(o, record) or o.job.spec.drift_policy is DriftPolicy.REPORT:
        return Drift(differences=differences, action=look.action, wake_at=look.wake_at)
    return _correct(o, plan, revision, differences, now)


def _correct(
    o: JobObservation,
    plan: Plan,
    revision: Revision,
    differences: tuple[Difference, ...],
    now: datetime,
) -> Drift:
    """Set back what others have changed; who has taken the job over is told only."""
    call = o.known.calls.get(Operation.UPDATE)
    due = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
    if due is not None and now < due:
        return Drift(differences=differences, wake_at=due)
    update = UpdateJob(
        caller=plan.caller,
        job_id=revision.job_id,
        settings=plan.request.settings,
        settings_digest=plan.settings_digest,
        epoch=o.epoch,
    )
    refused = call is not None and call.refusal is not None
    return Drift(action=update, notes=() if refused else (_corrected(differences),))


def _watched(o: JobObservation, revision: Revision) -> Watched | None:
    watched = o.known.watched
    return watched if watched is not None and watched.job_id == revision.job_id else None


def is_gone(o: JobObservation, revision: Revision) -> bool:
    """Whether the revision's OCI job is proven to be no more: others have deleted it."""
    watched = _watched(o, revision)
    if watched is None:
        return False
    if watched.record is not None:
        return watched.record.state in _GONE
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    absent = watched.absent_at
    return bool(absent) and absent[-1] - absent[0] >= confirm


def look_after(
    o: JobObservation, plan: Plan, revision: Revision, refused_at: datetime, now: datetime
) -> Drift:
    """Return when to look whether the OCI job is there, after OCI answered as though it were not."""
    watched = _watched(o, revision)
    if watched is None or watched.at < refused_at:
        return _look(o, plan, revision, None, now, first=refused_at)
    return _look(o, plan, revision, watched, now) if watched.absent_at else Drift()


def _look_due(o: JobObservation, plan: Plan, watched: Watched | None, now: datetime) -> datetime:
    """Return when the OCI job is to be looked at, its refusals aside."""
    seed, interval = o.job.metadata.uid, o.settings.drift_interval_seconds
    doubted = any(run.doubts for run in o.runs)
    if watched is None:
        since = o.known.first_read_at or plan.sources.checked_at
        return now if doubted else since + timedelta(seconds=interval * fraction(seed, 0))
    if watched.absent_at:
        return watched.absent_at[-1] + timedelta(seconds=o.settings.search_confirm_seconds)
    if doubted:
        return watched.at + timedelta(seconds=o.settings.refusal_retry_min_seconds)
    return watched.at + timedelta(seconds=interval * (0.9 + 0.2 * fraction(seed, 1)))


def _look(
    o: JobObservation,
    plan: Plan,
    revision: Revision,
    watched: Watched | None,
    now: datetime,
    *,
    first: datetime | None = None,
) -> Drift:
    """Return when the OCI job is looked at next: first at a time of its own, then at intervals."""
    due = first if first is not None else _look_due(o, plan, watched, now)
    call = o.known.calls.get(Operation.LOOK_UP)
    if watched is None or not watched.absent_at:
        retry_at = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
        due = max(due, retry_at) if retry_at is not None else due
    if now < due:
        return Drift(wake_at=due)
    action = LookUpJob(
        caller=plan.caller,
        compartment_id=plan.request.compartment_id,
        job_id=revision.job_id,
        epoch=o.epoch,
    )
    return Drift(action=action)


def _taken_over(o: JobObservation, record: JobRecord) -> tuple[Difference, ...]:
    """Return the difference of an OCI job that has another owner's tag: two who correct it would never end."""
    if record.owner is None or belongs_to(record.owner, o.owner):
        return ()
    return (Difference(field="owner", wanted=o.owner, found=record.owner[:256]),)


def _corrected(differences: tuple[Difference, ...]) -> Note:
    return Note(
        reason=Reason.DRIFT_CORRECTED,
        message=f"set back in OCI what others had changed: {fields_of(differences)}",
    )


def lost(revision: Revision) -> Note:
    """Return the Event about an OCI job that others have deleted."""
    return Note(
        reason=Reason.REMOTE_DELETED,
        message=f"OCI job {revision.job_id} of revision {revision.name} is gone: another is made",
    )


def fields_of(differences: tuple[Difference, ...]) -> str:
    """Return the fields' names, the first few of them."""
    names = ", ".join(difference.field for difference in differences[:_NAMED])
    return names + (", …" if len(differences) > _NAMED else "")
