"""What is observed of a schedule: what its firings have made, as far as it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.reconcile.known.schedule import ScheduleKnown
from ocijobs.settings import Settings


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
class ScheduleObservation:
    """Everything that a decision about a schedule rests on.

    Attributes:
        taken: names of the firing that is being started which objects of others have.
    """

    schedule: OCIJobSchedule
    made: tuple[MadeView, ...]
    known: ScheduleKnown
    settings: Settings
    taken: frozenset[str] = frozenset()

    @property
    def held(self) -> bool:
        """Whether nothing may be started now: after a restore, what the schedule started is not known to it."""
        return (
            self.settings.hold_new
            and not self.schedule.metadata.start_allowed
            and self.schedule.status.last_schedule_time is None
        )
