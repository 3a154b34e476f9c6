"""What a decision is: a complete status, actions as data, notes, and when to look again.

A change of what a status says of itself is an Event, too: one for each change, never for a repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from ocijobs.api.shared.conditions import Condition, ConditionType, find
from ocijobs.api.shared.model import Model
from ocijobs.api.shared.reasons import EXPLANATIONS, EventType, Reason, reason_named
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import Caller

StatusT_co = TypeVar("StatusT_co", bound=Model, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An Event on the object; the table of reasons says of which type it is."""

    reason: Reason
    message: str

    @property
    def type(self) -> EventType:
        """Type of the Event."""
        event = EXPLANATIONS[self.reason].event
        if event is None:
            raise AssertionError(f"{self.reason} has no Event")
        return event


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A run that the shared poll watches."""

    caller: Caller
    compartment_id: str
    job_id: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Generic[StatusT_co]):
    """What is to be done about one object now.

    `sources_checked_at` is of a job whose status tells of its sources as they are: when they were last read to the end,
    found or missing. A run or a sweep that is not launched yet waits until that is after its own apply.
    `reads` is true of a job that needs a turn at reading its remote source, or goes on with it.

    An intent is never written and acted on in one decision: the action comes when the intent is observed, that is,
    when the API server has it.
    """

    status: StatusT_co
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    follow: Followed | None = None
    notes: tuple[Note, ...] = ()
    sources_checked_at: datetime | None = None
    reads: bool = False


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
