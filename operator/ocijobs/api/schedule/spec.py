"""OCIJobSchedule: runs and sweeps at given times, with the fields and meanings of batch/v1's CronJob."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.run.settings import JobReference, RunSettings
from ocijobs.api.schedule.status import OCIJobScheduleStatus
from ocijobs.api.shared.dependency import DependencyKind, DependsOnList
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.model import DNS_LABEL_PATTERN, Model, map_list, validations
from ocijobs.api.sweep.settings import SweepSettings

if TYPE_CHECKING:
    pass

NAMES_LIMIT = 42
"""Characters of a schedule's name and a resource's name together: `<schedule>-<minute>-<name>` is a sweep's name."""


class ConcurrencyPolicy(StrEnum):
    """What becomes of a firing while an earlier one has not ended."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class ScheduledRun(RunSettings):
    """An OCIJobRun of every firing."""

    job_ref: JobReference = Field(description="The OCIJob that is run.")
    depends_on: DependsOnList = Field(
        default=(),
        description=(
            "Runs and sweeps that have to end first; the name of another resource of this schedule means "
            "the one of the same firing."
        ),
    )


class ScheduledResource(Model):
    """What one firing makes: a run or a sweep."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            ("has(self.run) != has(self.sweep)", "exactly one of run and sweep must be given")
        )
    )

    name: Annotated[str, Field(min_length=1, max_length=40, pattern=DNS_LABEL_PATTERN)] = Field(
        description=(
            "Name within the schedule: the object is called <schedule>-<minute>-<name>, and others of the "
            "firing call it by this name in dependsOn and resultRef."
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

    Each firing makes one object of every resource. An edit counts from the next firing on.
    """

    schedule: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description=(
            "Cron expression of five fields, as of a CronJob: `0 2 * * *`, `@daily`, `@every 90m`. Starts of "
            "the same minute are one."
        )
    )
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Name of a time zone, such as Europe/Paris. UTC by default."
    )
    starting_deadline_seconds: Annotated[int, Field(ge=0, le=10 * 365 * 24 * 3600)] | None = Field(
        default=None, description="A start that is missed by more than this is left out."
    )
    concurrency_policy: ConcurrencyPolicy = Field(
        default=ConcurrencyPolicy.ALLOW,
        description=(
            "What happens while an earlier firing has not ended: Allow starts another one, Forbid waits "
            "for its end, Replace deletes it."
        ),
    )
    suspend: bool = Field(
        default=False, description="True starts nothing; what was started goes on."
    )
    successful_jobs_history_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3, description="Firings that have succeeded and are kept."
    )
    failed_jobs_history_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        default=1, description="Firings that have failed and are kept."
    )
    resources: Annotated[
        tuple[ScheduledResource, ...],
        Field(min_length=1, max_length=10, json_schema_extra=map_list("name")),
    ] = Field(description="What each firing makes.")


class OCIJobSchedule(Model):
    """Runs and sweeps at given times: batch/v1's CronJob, for all resources of a firing together.

    Deleting a schedule deletes what it has made.
    """

    metadata: ObjectMeta
    spec: OCIJobScheduleSpec
    status: OCIJobScheduleStatus = Field(default=OCIJobScheduleStatus())
