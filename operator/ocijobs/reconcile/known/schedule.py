"""What this process has learnt of a schedule: what it has made of the firing that is being started."""

from __future__ import annotations

from dataclasses import dataclass

from ocijobs.reconcile.actions.calls import Call


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
