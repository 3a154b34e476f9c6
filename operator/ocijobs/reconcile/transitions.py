"""Events: one for each change of what a status says of itself, never for a repetition."""

from __future__ import annotations

from ocijobs.api.conditions import Condition, ConditionType, find
from ocijobs.api.reasons import Reason, reason_named
from ocijobs.reconcile.decision import Note, NoteType

_NORMAL = frozenset(
    {
        Reason.PENDING,
        Reason.SUBMITTING,
        Reason.CREATING,
        Reason.UPDATING,
        Reason.SYNCED,
        Reason.ACCEPTED,
        Reason.RUNNING,
        Reason.COLLECTING_RESULTS,
        Reason.CANCELLING,
        Reason.CANCELLED,
        Reason.SUCCEEDED,
        Reason.SUSPENDED,
        Reason.SCHEDULED,
        Reason.STARTING,
        Reason.ALREADY_ACTIVE,
        Reason.WAITING_FOR_DEPENDENCY,
        Reason.WAITING_FOR_QUEUE,
        Reason.EVICTED,
        Reason.DELETING,
        Reason.WAITING_FOR_JOB,
        Reason.WAITING_FOR_RUNS,
        Reason.IDENTITY_VERIFIED,
        Reason.RESULTS_COLLECTED,
        Reason.SEARCHING,
    }
)
"""Reasons that are no cause for concern; every other one makes a Warning."""

_SILENT = frozenset({Reason.PENDING, Reason.SUBMITTING, Reason.SCHEDULED})
"""Reasons that are over before anybody could read of them."""

_TOLD = (ConditionType.READY, ConditionType.RESULTS_READY)


def transition_notes(
    before: tuple[Condition, ...], after: tuple[Condition, ...]
) -> tuple[Note, ...]:
    """Return the Events for a status that was written over another."""
    return tuple(
        note for kind in _TOLD if (note := _note(find(before, kind), find(after, kind))) is not None
    )


def _note(before: Condition | None, after: Condition | None) -> Note | None:
    if after is None or (before is not None and before.reason == after.reason):
        return None
    reason = reason_named(after.reason)
    if reason in _SILENT:
        return None
    kind = NoteType.NORMAL if reason in _NORMAL else NoteType.WARNING
    return Note(type=kind, reason=reason, message=after.message)
