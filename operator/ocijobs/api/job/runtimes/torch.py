"""Distributed training with PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api.job.runtimes.conda import CondaEnvironment
from ocijobs.api.job.source import GitCode, Source
from ocijobs.api.shared.model import (
    ATOMIC_LIST,
    Model,
    PythonPath,
    RelativePath,
    Replicas,
    validations,
)


class PipDependencies(Model):
    """Packages that are installed with pip before the code starts."""

    pip_requirements: RelativePath | None = Field(
        default=None, description="Requirements file of the code."
    )
    pip_packages: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^-\s]")], ...],
        Field(max_length=64, json_schema_extra=ATOMIC_LIST),
    ] = Field(default=(), description="Packages, as pip takes them.")


class PyTorchDistributedRuntime(Model):
    """Distributed training: each node starts the code with torchrun and finds the other nodes by itself.

    The conda environment needs `torch`.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            ("has(self.source) != has(self.git)", "exactly one of source and git must be given"),
            (
                "has(self.entrypoint) != has(self.command)",
                "exactly one of entrypoint and command must be given",
            ),
            (
                "!has(self.deepspeed) || !self.deepspeed || has(self.command)",
                "deepspeed goes with command",
            ),
        )
    )

    conda: CondaEnvironment = Field()
    source: Source | None = Field(default=None, description="The code; give this or git.")
    git: GitCode | None = Field(
        default=None, description="Repository that every node clones; give this or source."
    )
    entrypoint: RelativePath | None = Field(
        default=None, description="Python file that torchrun starts, with spec.args."
    )
    command: Annotated[str, Field(min_length=1, max_length=4000)] | None = Field(
        default=None,
        description=(
            "The whole command instead of entrypoint; it begins with torchrun, deepspeed or "
            "`accelerate launch`. The number of nodes, the rank and the address of the first node are "
            "added if they are missing."
        ),
    )
    replicas: Replicas | None = Field(
        default=None,
        description=(
            "Number of nodes in one group, 1 by default. For more than one group use "
            "infrastructure.dataScienceJob.jobNodeGroups instead."
        ),
    )
    working_dir: RelativePath | None = Field(
        default=None,
        description="Folder of the code that becomes the working directory; by default the code's root.",
    )
    python_path: PythonPath = Field(
        default=(), description="Folders of the code that are added to PYTHONPATH."
    )
    inputs: (
        Annotated[
            Mapping[
                Annotated[str, Field(max_length=2048)],
                Annotated[str, Field(min_length=1, max_length=1024)],
            ],
            Field(max_length=32),
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "What every node copies before the code starts: source (oci://bucket@namespace/prefix, or "
            "a web address) -> folder or file, absolute or relative to the working directory."
        ),
    )
    dependencies: PipDependencies | None = Field(
        default=None, description="Packages that are installed with pip before the code starts."
    )
    deepspeed: bool = Field(
        default=False,
        description="True if the command is DeepSpeed's launcher, or the code uses DeepSpeed.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.source is None) == (self.git is None):
            msg = "runtime.pyTorchDistributed: exactly one of source and git must be given"
            raise ValueError(msg)
        return self
