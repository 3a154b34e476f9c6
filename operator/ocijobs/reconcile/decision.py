"""What a decision is: a complete status, actions as data, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from ocijobs.api.shared.model import Model
from ocijobs.api.shared.reasons import EXPLANATIONS, EventType, Reason
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
