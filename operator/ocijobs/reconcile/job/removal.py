"""Removing one OCI job: only when a complete list shows none of its runs active, and never its runs' records.

OCI may refuse with 409 although no run is active, because records of its runs remain; then the OCI job stays and an
Event says so. `deleteRelatedJobRuns` is never used: runs' records are their OCIJobRuns' matter, or other people's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ocijobs.api.reasons import Reason
from ocijobs.reconcile.decision import (
    Action,
    Caller,
    DeleteJob,
    ListActiveRuns,
    LookUpJob,
    Note,
    NoteType,
)
from ocijobs.reconcile.job.known import Removal
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.remote import Operation, Refusal, RefusalKind

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


def remove_oci_job(
    o: JobObservation, caller: Caller, compartment_id: str, job_id: str, now: datetime
) -> RemovalStep:
    """Return the next step of removing the OCI job `job_id`."""
    removal = o.known.removal
    if removal is None or removal.job_id != job_id:
        removal = Removal(job_id=job_id)
    absent = removal.absent_at
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    proven = bool(absent) and (
        removal.requested_at is not None or absent[-1] - absent[0] >= confirm
    )
    if removal.gone or proven:
        return RemovalStep(done=True)
    look_up = LookUpJob(caller=caller, compartment_id=compartment_id, job_id=job_id, epoch=o.epoch)
    if absent:
        return _at(absent[-1] + confirm, look_up, now)
    delete = DeleteJob(caller=caller, job_id=job_id, epoch=o.epoch)
    if removal.requested_at is not None:
        return _await_deletion(o, removal, look_up, delete, now)
    listing = ListActiveRuns(
        caller=caller, compartment_id=compartment_id, job_id=job_id, epoch=o.epoch
    )
    if not _listed_since_conflict(removal):
        return _paced(o, removal, Operation.LIST_RUNS, listing, now)
    if removal.active:
        due = (removal.listed_at or now) + timedelta(seconds=_ACTIVE_PAUSE_SECONDS)
        return replace(_at(due, listing, now), active=removal.active)
    if removal.conflict_at is not None:
        return RemovalStep(done=True, notes=(_records_remain(job_id),))
    if _unclear(removal):
        return RemovalStep(actions=(look_up,))
    return _paced(o, removal, Operation.DELETE, delete, now)


def _listed_since_conflict(removal: Removal) -> bool:
    """Whether the list of runs is newer than OCI's refusal to delete, if there was one."""
    listed, conflict = removal.listed_at, removal.conflict_at
    return listed is not None and (conflict is None or listed > conflict)


def _unclear(removal: Removal) -> bool:
    """Whether the deletion was answered 404, and the job was not looked at since."""
    deleted = removal.calls.get(Operation.DELETE)
    if deleted is None or deleted.refusal is None:
        return False
    looked_up = removal.calls.get(Operation.LOOK_UP)
    return deleted.refusal.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND and (
        looked_up is None or looked_up.at < deleted.at
    )


def _await_deletion(
    o: JobObservation, removal: Removal, look_up: LookUpJob, delete: DeleteJob, now: datetime
) -> RemovalStep:
    """Look at the job until it is gone; ask again where nothing comes of it."""
    call = removal.calls.get(Operation.LOOK_UP)
    if call is not None and call.refusal is not None:
        return _paced(o, removal, Operation.LOOK_UP, look_up, now)
    patience = timedelta(seconds=o.settings.cancel_repeat_seconds)
    if removal.requested_at is not None and now - removal.requested_at >= patience:
        return RemovalStep(actions=(delete,))
    since = call.at if call is not None else removal.requested_at
    return _at((since or now) + timedelta(seconds=_DELETING_PAUSE_SECONDS), look_up, now)


def _at(due: datetime, action: Action, now: datetime) -> RemovalStep:
    return RemovalStep(actions=(action,)) if now >= due else RemovalStep(wake_at=due)


def _paced(
    o: JobObservation, removal: Removal, operation: Operation, action: Action, now: datetime
) -> RemovalStep:
    call = removal.calls.get(operation)
    due = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
    if call is None or due is None:
        return RemovalStep(actions=(action,))
    return replace(_at(due, action, now), refusal=call.refusal)


def _records_remain(job_id: str) -> Note:
    message = (
        f"OCI job {job_id} stays: OCI refuses to delete it while records of its runs remain; "
        "delete them and the job in OCI if they are not wanted"
    )
    return Note(type=NoteType.WARNING, reason=Reason.RECORDS_REMAIN, message=message)
