"""Observed state of an OCIJobSchedule."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self, Unpack

from pydantic import Field

from ocijobs.api.shared.conditions import Conditions
from ocijobs.api.shared.model import Model, Time, map_list

if TYPE_CHECKING:
    from ocijobs.api.status_changes import JobScheduleStatusFields


class FiringState(StrEnum):
    """Where a firing is."""

    ACTIVE = "Active"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class Firing(Model):
    """The objects of one start."""

    scheduled_time: Time = Field(description="The time that the firing is for.")
    state: FiringState = Field(
        description="Active until all its objects have ended; Failed if one did not succeed."
    )


class OCIJobScheduleStatus(Model):
    """Observed state of an OCIJobSchedule."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="The metadata.generation that this status is of."
    )
    last_schedule_time: Time | None = Field(
        default=None, description="The time that the last firing was for."
    )
    last_successful_time: Time | None = Field(
        default=None, description="When a firing last ended with everything succeeded."
    )
    next_schedule_time: Time | None = Field(
        default=None, description="The time of the next firing."
    )
    starting: Time | None = Field(
        default=None, description="The firing whose objects are being made."
    )
    active: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Firings that have not ended."
    )
    firings: Annotated[
        tuple[Firing, ...], Field(max_length=50, json_schema_extra=map_list("scheduledTime"))
    ] = Field(default=(), description="The last 50 firings of which objects are there.")
    conditions: Conditions = Field(
        default=(), description="Ready, Reconciling, Stalled, Suspended."
    )

    def changed(self, **fields: Unpack[JobScheduleStatusFields]) -> Self:
        """Return the status with other values of some fields."""
        return self.model_copy(update=fields)
