"""Which former revisions go, and how: an OCI job is deleted only when a complete list shows none of its runs active.

OCI may refuse with 409 although no run is active, because records of its runs remain; then the OCI job stays and an
Event says so. `deleteRelatedJobRuns` is never used: runs' records are their OCIJobRuns' matter, or other people's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ocijobs.api.job.status import Revision
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import JobState, Refusal, RefusalKind
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import Caller, Operation
from ocijobs.reconcile.actions.jobs import DeleteCode, DeleteJob, ListActiveRuns, LookUpJob
from ocijobs.reconcile.backoff import due_at
from ocijobs.reconcile.decision import Note
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.known.oci_jobs import Removal

_ACTIVE_PAUSE_SECONDS = 15.0
"""Pause between two lists of a job whose runs are active."""

_DELETING_PAUSE_SECONDS = 2.0
"""Pause between two looks at a job that OCI is deleting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalStep:
    """What is to be done about the OCI job next, what hinders it, and whether it is off our hands.

    `actions` empty and not `done` means that `wake_at` is to be awaited.
    """

    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    done: bool = False
    notes: tuple[Note, ...] = ()
    active: int = 0
    refusal: Refusal | None = None


def remove_revision(
    o: JobObservation, caller: Caller, compartment_id: str, revision: Revision, now: datetime
) -> RemovalStep:
    """Return the next step of removing a revision: its OCI job, then code of Spark that no other has."""
    step = remove_oci_job(o, caller, compartment_id, revision.job_id, now)
    uri = revision.artifact.uri if revision.artifact is not None else None
    if not step.done or uri is None or uri in o.known.code_deleted:
        return step
    if uri in o.code_in_use | _code_of_others(o, revision):
        return step
    return _remove_code(o, caller, uri, now)


def _code_of_others(o: JobObservation, revision: Revision) -> set[str | None]:
    others = (r for r in o.job.status.revisions if r.name != revision.name)
    return {r.artifact.uri for r in others if r.artifact is not None}


def _remove_code(o: JobObservation, caller: Caller, uri: str, now: datetime) -> RemovalStep:
    call = o.known.calls.get(Operation.DELETE_CODE)
    due = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
    refusal = call.refusal if call is not None and due is not None else None
    if due is not None and now < due:
        return RemovalStep(wake_at=due, refusal=refusal)
    delete = DeleteCode(caller=caller, uri=uri, epoch=o.epoch)
    return RemovalStep(actions=(delete,), refusal=refusal)


def _proven_gone(removal: Removal, confirm: timedelta) -> bool:
    """Whether the OCI job is gone: after a deletion one look that finds nothing proves it, else two do."""
    absent = removal.absent_at
    confirmed = bool(absent) and (
        removal.requested_at is not None or absent[-1] - absent[0] >= confirm
    )
    return removal.state is JobState.DELETED or confirmed


def remove_oci_job(
    o: JobObservation, caller: Caller, compartment_id: str, job_id: str, now: datetime
) -> RemovalStep:
    """Return the next step of removing the OCI job `job_id`."""
    removal = o.known.removal
    if removal is None or removal.job_id != job_id:
        removal = Removal(job_id=job_id)
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    if _proven_gone(removal, confirm):
        return RemovalStep(done=True)
    look_up = LookUpJob(caller=caller, compartment_id=compartment_id, job_id=job_id, epoch=o.epoch)
    if removal.absent_at:
        due = removal.absent_at[-1] + confirm
        return _paced(o, removal, Operation.LOOK_UP, look_up, now, earliest=due)
    if _going(o, removal):
        told = max(filter(None, (removal.seen_at, removal.requested_at)), default=now)
        pause = timedelta(seconds=_DELETING_PAUSE_SECONDS)
        return _paced(o, removal, Operation.LOOK_UP, look_up, now, earliest=told + pause)
    listing = ListActiveRuns(
        caller=caller, compartment_id=compartment_id, job_id=job_id, epoch=o.epoch
    )
    if removal.listed_at is None:
        return _paced(o, removal, Operation.LIST_RUNS, listing, now)
    if removal.active:
        due = removal.listed_at + timedelta(seconds=_ACTIVE_PAUSE_SECONDS)
        step = _paced(o, removal, Operation.LIST_RUNS, listing, now, earliest=due)
        return replace(step, active=removal.active)
    if _unclear(removal):
        return _paced(o, removal, Operation.LOOK_UP, look_up, now)
    if removal.conflict:
        return RemovalStep(done=True, notes=(_records_remain(job_id),))
    delete = DeleteJob(caller=caller, job_id=job_id, epoch=o.epoch)
    return _paced(o, removal, Operation.DELETE, delete, now)


def _going(o: JobObservation, removal: Removal) -> bool:
    """Whether OCI is deleting the job: it says so, or it took the request and has not had its time for it."""
    if removal.state is JobState.DELETING:
        return True
    if removal.requested_at is None:
        return False
    patience = timedelta(seconds=o.settings.cancel_repeat_seconds)
    return removal.seen_at is None or removal.seen_at < removal.requested_at + patience


def _unclear(removal: Removal) -> bool:
    """Whether the deletion was refused as though nothing were there to delete, and nobody has looked since."""
    deleted = removal.calls.get(Operation.DELETE)
    if deleted is None or deleted.refusal is None:
        return False
    kinds = {RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, RefusalKind.CONFLICT}
    return deleted.refusal.kind in kinds and removal.seen_at is None


def _paced(
    o: JobObservation,
    removal: Removal,
    operation: Operation,
    action: Action,
    now: datetime,
    *,
    earliest: datetime | None = None,
) -> RemovalStep:
    """Make a call that is due, not before `earliest`; or say what refuses it."""
    call = removal.calls.get(operation)
    retry = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
    due = max(filter(None, (earliest, retry)), default=now)
    refusal = call.refusal if call is not None and retry is not None else None
    if now < due:
        return RemovalStep(wake_at=due, refusal=refusal)
    return RemovalStep(actions=(action,), refusal=refusal)


def _records_remain(job_id: str) -> Note:
    message = (
        f"OCI job {job_id} stays: OCI refuses to delete it while records of its runs remain; "
        "delete them and the job in OCI if they are not wanted"
    )
    return Note(reason=Reason.RECORDS_REMAIN, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """The revisions that stay listed, and what is to be done about the one that goes next."""

    revisions: tuple[Revision, ...]
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    notes: tuple[Note, ...] = ()


def excess_revisions(
    revisions: tuple[Revision, ...], *, current: str, needed: frozenset[str], limit: int
) -> tuple[Revision, ...]:
    """Return the revisions that go, oldest first.

    The current one stays, those that a live run needs (`needed` has OCIDs of OCI jobs), and of the others the
    `limit` that were used last. One whose artifact never came is of no use to anybody, and one whose removal has
    begun goes on going.
    """
    going = tuple(r for r in revisions if r.removing)
    revisions = tuple(r for r in revisions if not r.removing)
    former = sorted(
        (r for r in revisions if r.name != current and r.job_id not in needed),
        key=lambda r: (r.last_used_at, r.name),
    )
    unusable = [r for r in former if not r.complete]
    usable = [r for r in former if r.complete]
    return (*going, *unusable, *usable[: max(0, len(usable) - limit)])


def _needed(o: JobObservation) -> frozenset[str]:
    """Return the OCI jobs that a run or a sweep is bound to."""
    return frozenset(o.pinned | {run.job_id for run in o.runs if run.job_id is not None})


def prune(
    o: JobObservation, revisions: tuple[Revision, ...], current: str, now: datetime
) -> Pruned:
    """Remove one excess_revisions OCI job after the other.

    That it goes is written before OCI is asked: an edit that goes back to its revision must not take it for one that
    serves.
    """
    going = excess_revisions(
        revisions, current=current, needed=_needed(o), limit=o.job.spec.revision_history_limit
    )
    caller = o.identity.caller(o.job.status.region)
    compartment_id = o.job.status.compartment_id
    if not going or caller is None or compartment_id is None:
        return Pruned(revisions=revisions)
    if not going[0].removing:
        marked = going[0].model_copy(update={"removing": True})
        return Pruned(revisions=tuple(marked if r == going[0] else r for r in revisions))
    step = remove_revision(o, caller, compartment_id, going[0], now)
    if step.done:
        revisions = tuple(r for r in revisions if r.name != going[0].name)
    return Pruned(revisions=revisions, actions=step.actions, wake_at=step.wake_at, notes=step.notes)
