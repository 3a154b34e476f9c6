"""Former revisions: how many stay, and which OCI job goes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocijobs.api.job.status import Revision
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.decision import Note
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.removal import remove_revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """The revisions that stay listed, and what is to be done about the one that goes next."""

    revisions: tuple[Revision, ...]
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    notes: tuple[Note, ...] = ()


def superfluous(
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
    """Remove one superfluous OCI job after the other.

    That it goes is written before OCI is asked: an edit that goes back to its revision must not take it for one that
    serves.
    """
    going = superfluous(
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
