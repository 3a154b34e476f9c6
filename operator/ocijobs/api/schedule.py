"""OCIJobSchedule: runs and sweeps at given times, with the fields and meanings of batch/v1's CronJob."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self, Unpack

from pydantic import ConfigDict, Field

from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.conditions import Conditions
from ocijobs.api.shared.dependency import DependencyKind, DependsOnList
from ocijobs.api.shared.metadata import JobReference, ObjectMeta
from ocijobs.api.shared.model import DNS_LABEL_PATTERN, Model, Time, map_list, validations
from ocijobs.api.sweep.settings import SweepSettings

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


NAMES_LIMIT = 42
"""Characters of a schedule's name and a resource's name together: `<schedule>-<minute>-<name>` is a sweep's name."""


class ConcurrencyPolicy(StrEnum):
    """What happens to a firing while an earlier one has not ended."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class ScheduledRun(RunSettings):
    """An OCIJobRun of every firing."""

    job_ref: JobReference = Field(description="The OCIJob that is run.")
    depends_on: DependsOnList = Field(
        default=(),
        description=(
            "Runs and sweeps that have to end first. The name of another resource of this schedule "
            "means the object of the same firing."
        ),
    )


class ScheduledResource(Model):
    """What one firing creates: a run or a sweep."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            ("has(self.run) != has(self.sweep)", "exactly one of run and sweep must be given")
        )
    )

    name: Annotated[str, Field(min_length=1, max_length=40, pattern=DNS_LABEL_PATTERN)] = Field(
        description=(
            "Name within the schedule. The object is called <schedule>-<minute>-<name>; others of the "
            "firing use this name in dependsOn and resultRef."
        )
    )
    run: ScheduledRun | None = Field(default=None, description="As the spec of an OCIJobRun.")
    sweep: SweepSettings | None = Field(default=None, description="As the spec of an OCIJobSweep.")

    @property
    def kind(self) -> DependencyKind:
        """Kind of what is made."""
        return DependencyKind.RUN if self.run is not None else DependencyKind.SWEEP


class OCIJobScheduleSpec(Model):
    """Desired state of an OCIJobSchedule.

      spec:
        schedule: "0 2 * * *"
        timeZone: Europe/Paris
        resources:
          - name: train
            run:
              jobRef:
                name: train

    Each firing creates one object for every resource. An edit takes effect with the next firing.
    """

    schedule: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description=(
            "Cron expression of five fields, as of a CronJob: `0 2 * * *`, `@daily`, `@every 90m`. "
            "Several times in one minute are one start."
        )
    )
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Name of a time zone, such as Europe/Paris. UTC by default."
    )
    starting_deadline_seconds: Annotated[int, Field(ge=0, le=10 * 365 * 24 * 3600)] | None = Field(
        default=None, description="A start that is more than this many seconds late is left out."
    )
    concurrency_policy: ConcurrencyPolicy = Field(
        default=ConcurrencyPolicy.ALLOW,
        description=(
            "What happens while an earlier firing has not ended. Allow: another one starts. Forbid: "
            "the start waits for the end. Replace: the earlier one is deleted."
        ),
    )
    suspend: bool = Field(
        default=False, description="With true nothing is started; what was started goes on."
    )
    successful_jobs_history_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3, description="How many succeeded firings are kept."
    )
    failed_jobs_history_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        default=1, description="How many failed firings are kept."
    )
    resources: Annotated[
        tuple[ScheduledResource, ...],
        Field(min_length=1, max_length=10, json_schema_extra=map_list("name")),
    ] = Field(description="What each firing creates.")


class OCIJobSchedule(Model):
    """Runs and sweeps at given times: like batch/v1's CronJob, but for several resources that are created together.

    Deleting a schedule deletes what it has created.
    """

    metadata: ObjectMeta
    spec: OCIJobScheduleSpec
    status: OCIJobScheduleStatus = Field(default=OCIJobScheduleStatus())
