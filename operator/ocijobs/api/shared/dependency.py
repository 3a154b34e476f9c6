"""What comes first: the runs and sweeps that a run waits for, and the values that it takes from them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api import kinds
from ocijobs.api.shared.environment import EnvVar, EnvVarSource
from ocijobs.api.shared.model import ATOMIC_LIST, Model, ObjectName, map_list, validations


class DependencyKind(StrEnum):
    """Kinds that a run can wait for."""

    RUN = kinds.RUN
    SWEEP = kinds.SWEEP


class DependencyCondition(StrEnum):
    """How a run or sweep has to end."""

    SUCCEEDED = "Succeeded"
    FINISHED = "Finished"


class DependsOn(Model):
    """A run or sweep of this namespace that has to end first."""

    kind: DependencyKind = Field(
        default=DependencyKind.RUN, description="OCIJobRun, the default, or OCIJobSweep."
    )
    name: ObjectName = Field(description="Its name, in this namespace. It may be created later.")
    condition: DependencyCondition = Field(
        default=DependencyCondition.SUCCEEDED,
        description=(
            "Succeeded, the default: it has to succeed, and if it does not, this run fails. Finished: "
            "it has to end, successful or not."
        ),
    )


ResultName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")
]


class ResultReference(Model):
    """A value that a run or sweep reports when it has succeeded."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "has(self.result) != has(self.bestParameter)",
                "exactly one of result and bestParameter must be given",
            ),
            (
                "!has(self.bestParameter) || (has(self.kind) && self.kind == 'OCIJobSweep')",
                "bestParameter needs kind OCIJobSweep: a run has results only",
            ),
        )
    )

    kind: DependencyKind = Field(
        default=DependencyKind.RUN, description="OCIJobRun, the default, or OCIJobSweep."
    )
    name: ObjectName = Field(description="Its name, in this namespace.")
    result: ResultName | None = Field(
        default=None,
        description=("Name of a result; of a sweep, the result of its best run."),
    )
    best_parameter: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description=(
            "Name of a variable of the sweep's matrix or points; the value is that of the best run."
        ),
    )

    @property
    def value_key(self) -> str:
        """What the value is called in `status.dependencies`."""
        return f"result:{self.result}" if self.result else f"parameter:{self.best_parameter}"


class RunEnvVarSource(EnvVarSource):
    """Where a variable's value comes from."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                (
                    "[has(self.secretKeyRef), has(self.configMapKeyRef), has(self.vaultSecretRef), "
                    "has(self.resultRef)].exists_one(x, x)"
                ),
                (
                    "exactly one of secretKeyRef, configMapKeyRef, vaultSecretRef and resultRef must "
                    "be given"
                ),
            )
        )
    )

    result_ref: ResultReference | None = Field(
        default=None,
        description=(
            "A value that another run or a sweep reports. The run waits for it as if it were in "
            "dependsOn."
        ),
    )


class RunEnvVar(EnvVar):
    """One environment variable of a run."""

    value_from: RunEnvVarSource | None = Field(
        default=None, description="A source that is read later, instead of `value`."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        source = self.value_from
        if source is not None and len(source.model_fields_set) != 1:
            msg = f"variable {self.name}: valueFrom: exactly one source must be given"
            raise ValueError(msg)
        return self

    @property
    def result_ref(self) -> ResultReference | None:
        """What another run or sweep has to report."""
        return self.value_from.result_ref if self.value_from is not None else None


RunEnvVars = Annotated[
    tuple[RunEnvVar, ...], Field(max_length=200, json_schema_extra=map_list("name"))
]

DependsOnList = Annotated[
    tuple[DependsOn, ...], Field(max_length=100, json_schema_extra=ATOMIC_LIST)
]


class Dependency(Model):
    """What this run waited for. It is recorded once, and not asked for again."""

    kind: DependencyKind = Field(description="OCIJobRun or OCIJobSweep.")
    name: ObjectName = Field(description="Its name.")
    uid: Annotated[str, Field(max_length=128)] = Field(description="Its uid when it ended.")
    phase: Annotated[str, Field(max_length=63)] = Field(description="How it ended.")
    values: Annotated[
        Mapping[Annotated[str, Field(max_length=320)], Annotated[str, Field(max_length=4096)]],
        Field(max_length=200),
    ] = Field(
        default_factory=dict,
        description="The reported values that this run takes: `result:<name>`, `parameter:<name>`.",
    )
