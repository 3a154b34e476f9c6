"""Observed state of an OCIJobSweep: counts and intervals, small with ten thousand runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self, Unpack

from pydantic import Field

from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.observed import Results
from ocijobs.api.run.phase import SweepPhase
from ocijobs.api.shared.conditions import Conditions
from ocijobs.api.shared.dependency import Dependency
from ocijobs.api.shared.environment import Parameters
from ocijobs.api.shared.model import Model, Time, map_list

if TYPE_CHECKING:
    from ocijobs.api.status_changes import JobSweepStatusFields


Intervals = Annotated[str, Field(max_length=65536)]
"""Indices as batch/v1's completedIndexes has them: `1,3-5,7`."""


class BestRun(Model):
    """The run with the best value of the objective."""

    index: Annotated[int, Field(ge=0)] = Field(description="Index of the run.")
    name: Annotated[str, Field(max_length=63)] = Field(description="Name of the OCIJobRun.")
    value: Annotated[str, Field(max_length=4096)] = Field(
        description="Value of the objective, as the code printed it."
    )
    parameters: Parameters = Field(description="Its parameters.")
    results: Results = Field(description="Everything that it has reported, as it was printed.")


class OCIJobSweepStatus(Model):
    """Observed state of an OCIJobSweep."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="The metadata.generation that this status is of."
    )
    phase: SweepPhase | None = Field(default=None, description="Where the sweep stands.")
    total: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Number of combinations."
    )
    created: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Number of runs that were created, in the order of their indices.",
    )
    active: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Runs that exist and have not ended."
    )
    succeeded: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Runs that have succeeded."
    )
    failed: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Runs that have failed or were cancelled."
    )
    completed_indexes: Intervals | None = Field(
        default=None, description="Indices of runs that have succeeded, such as `0,2-4`."
    )
    failed_indexes: Intervals | None = Field(
        default=None, description="Indices of runs that have failed or were cancelled."
    )
    gone_indexes: Intervals | None = Field(
        default=None,
        description="Indices of runs that were deleted before they ended. They are not run again.",
    )
    best: BestRun | None = Field(
        default=None,
        description="The best run so far; of equal ones, the one with the lowest index.",
    )
    binding: JobBinding | None = Field(default=None, description="The job as all runs use it.")
    dependencies: Annotated[
        tuple[Dependency, ...], Field(max_length=300, json_schema_extra=map_list("kind", "name"))
    ] = Field(default=(), description="What the sweep waited for, and has found.")
    start_time: Time | None = Field(default=None, description="When the first run was created.")
    completion_time: Time | None = Field(default=None, description="When the sweep ended.")
    blocked_since: Time | None = Field(
        default=None, description="Since when the same cause keeps the sweep from going on."
    )
    conditions: Conditions = Field(
        default=(),
        description=(
            "Ready, Reconciling, Stalled, Suspended, and one of Complete and Failed at the end."
        ),
    )

    @property
    def ended(self) -> bool:
        """Whether the sweep is in a phase that it never leaves."""
        return self.phase is not None and self.phase.terminal

    def changed(self, **fields: Unpack[JobSweepStatusFields]) -> Self:
        """Return the status with other values of some fields."""
        return self.model_copy(update=fields)
