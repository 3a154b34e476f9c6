"""What a sweep runs, and how: in an OCIJobSweep, and in a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.run.settings import RunInfrastructure, RunSettings
from ocijobs.api.shared.dependency import DependsOnList, ResultName
from ocijobs.api.shared.environment import Arguments, ParameterName, Parameters, ParameterValue
from ocijobs.api.shared.metadata import JobReference
from ocijobs.api.shared.model import ATOMIC_LIST, Minutes, Model, validations

MOST_CHILDREN = 10_000
"""Runs that a sweep may have."""


class Goal(StrEnum):
    """Which value of the objective is the best."""

    MAXIMIZE = "Maximize"
    MINIMIZE = "Minimize"


class Objective(Model):
    """By what the best run is told."""

    result: ResultName = Field(
        description="Name of a result that every run reports; the OCIJob's `results` has to name it."
    )
    goal: Goal = Field(description="Maximize or Minimize.")


class SweepPoint(Model):
    """One run: its parameters, and what else it has different."""

    parameters: Parameters = Field(description="Environment variable -> value.")
    args: Arguments | None = Field(
        default=None, description="Command line arguments in place of runTemplate's and the job's."
    )
    maximum_runtime_in_minutes: Minutes | None = Field(
        default=None, description="OCI ends the run when it takes longer."
    )
    infrastructure: RunInfrastructure | None = Field(
        default=None, description="Machines that are others than runTemplate's and the job's."
    )


class TemplateMetadata(Model):
    """Labels and annotations of what is made."""

    labels: Annotated[
        Mapping[Annotated[str, Field(max_length=317)], Annotated[str, Field(max_length=63)]],
        Field(max_length=64),
    ] = Field(default_factory=dict, description="Labels.")
    annotations: Annotated[
        Mapping[Annotated[str, Field(max_length=317)], Annotated[str, Field(max_length=4096)]],
        Field(max_length=64),
    ] = Field(default_factory=dict, description="Annotations.")


class RunTemplateSpec(Model):
    """What every run of the sweep has."""

    metadata: TemplateMetadata = Field(
        default_factory=TemplateMetadata, description="Labels and annotations of the runs."
    )
    spec: RunSettings = Field(
        default_factory=RunSettings, description="As in an OCIJobRun; parameters win over `env`."
    )


class SweepSettings(Model):
    """What a sweep runs, and how."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "has(self.matrix) != has(self.points)",
                "exactly one of matrix and points must be given",
            )
        )
    )

    job_ref: JobReference = Field(description="The OCIJob that is run.")
    matrix: (
        Annotated[
            Mapping[
                ParameterName,
                Annotated[
                    tuple[ParameterValue, ...],
                    Field(min_length=1, max_length=1000, json_schema_extra=ATOMIC_LIST),
                ],
            ],
            Field(min_length=1, max_length=16),
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "Environment variable -> values: one run for each combination, 10,000 at most. Variables "
            "are taken in the order of their names; the last one changes fastest."
        ),
    )
    points: (
        Annotated[
            tuple[SweepPoint, ...],
            Field(min_length=1, max_length=MOST_CHILDREN, json_schema_extra=ATOMIC_LIST),
        ]
        | None
    ) = Field(default=None, description="Runs one by one, instead of a matrix.")
    parallelism: Annotated[int, Field(ge=1, le=MOST_CHILDREN)] = Field(
        default=10, description="Most runs that are there at a time and have not ended."
    )
    max_failed_runs: Annotated[int, Field(ge=0, le=MOST_CHILDREN)] = Field(
        default=0,
        description=(
            "How many runs may fail; with one more the others are cancelled, and the sweep fails."
        ),
    )
    objective: Objective | None = Field(
        default=None, description="By what the best run is told, for status.best and `resultRef`."
    )
    run_template: RunTemplateSpec = Field(
        default_factory=RunTemplateSpec, description="What every run has."
    )
    depends_on: DependsOnList = Field(
        default=(),
        description="Runs and sweeps that have to end first. They may be created later.",
    )
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=10 * 365 * 24 * 3600)] | None = Field(
        default=None,
        description=(
            "The sweep and its runs are deleted that long after its end, unless another run "
            "waits for it; by default never."
        ),
    )
