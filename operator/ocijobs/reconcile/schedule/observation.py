"""What is observed of a schedule: what its firings have made, as far as it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocijobs.api.schedule import OCIJobSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeView:
    """A run or a sweep that the schedule has made."""

    kind: str
    name: str
    uid: str
    scheduled_time: datetime
    ended: bool
    succeeded: bool
    completion_time: datetime | None
    deleting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleKnown:
    """What this process has learnt about one schedule.

    Attributes:
        made: names of objects that the API server has, of the firing that is being started.
        refused: why the API server does not take an object, and of which generation it was.
    """

    made: frozenset[str] = frozenset()
    refused: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleObservation:
    """Everything that a decision about a schedule rests on."""

    schedule: OCIJobSchedule
    made: tuple[MadeView, ...]
    known: ScheduleKnown
