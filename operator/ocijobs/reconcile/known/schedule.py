"""What this process has learnt of a schedule: what it has made of the firing that is being started."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, refused_again
from ocijobs.reconcile.actions.objects import CreateObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleKnown:
    """What this process has learnt about one schedule.

    Attributes:
        made: names of objects that the API server has, of the firing that is being started.
        refused: why the API server does not take an object of that firing, whatever happens.
        forbidden: the last refusal of one for what may pass, such as a quota.
    """

    made: frozenset[str] = frozenset()
    refused: str | None = None
    forbidden: Call | None = None

    def answered(
        self, answer: tuple[CreateObject, Refusal | None], *, at: datetime
    ) -> ScheduleKnown:
        """Return the memory after the API server has taken an object, or has refused it at that time."""
        made, refusal = answer
        if refusal is None:
            return replace(self, made=self.made | {made.name}, forbidden=None)
        if refusal.kind is RefusalKind.INVALID:
            return replace(self, refused=refusal.message)
        forbidden = refused_again(self.forbidden, refusal, at=at, epoch=made.epoch)
        return replace(self, forbidden=forbidden)
