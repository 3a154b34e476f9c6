"""Events: one for each change of what a status says of itself, never for a repetition."""

from __future__ import annotations

from ocijobs.api.shared.conditions import Condition, ConditionType, find
from ocijobs.api.shared.reasons import EXPLANATIONS, reason_named
from ocijobs.reconcile.decision import Note

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
    if EXPLANATIONS[reason].event is None:
        return None
    return Note(reason=reason, message=after.message)
