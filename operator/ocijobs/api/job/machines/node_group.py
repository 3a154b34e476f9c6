"""Groups of nodes: a run on several machines, each group with compute and settings of its own.

Source: the Data Science API's `MultiNodeJobNodeConfigurationDetails` and `JobNodeGroupConfigurationDetails`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.job.machines.shape import (
    BlockStorageSize,
    JobShapeConfigDetails,
    ShapeName,
    shape_rule,
)
from ocijobs.api.job.machines.startup_probe import StartupProbe
from ocijobs.api.shared.environment import Arguments, EnvVars
from ocijobs.api.shared.model import SET_LIST, Model, Ocid, validations


class StartupOrder(StrEnum):
    """Whether groups start in the order of the list, or all at once."""

    IN_ORDER = "IN_ORDER"
    IN_PARALLEL = "IN_PARALLEL"


class JobNodeGroup(Model):
    """Nodes that are alike. What a group does not set is as in the job."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            shape_rule(optional=True),
            (
                (
                    "!has(self.minimumSuccessReplicas) || self.minimumSuccessReplicas <= "
                    "(has(self.replicas) ? self.replicas : 1)"
                ),
                "minimumSuccessReplicas must not be more than replicas",
            ),
        )
    )

    name: Annotated[
        str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9_-]*)$")
    ] = Field(description="Name of the group.")
    replicas: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="Number of nodes, 1 by default."
    )
    minimum_success_replicas: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None,
        description="How many nodes must succeed for the group to succeed; by default all.",
    )
    shape_name: ShapeName | None = Field(
        default=None, description="Compute shape of the nodes; by default that of the job."
    )
    job_shape_config_details: JobShapeConfigDetails | None = Field(
        default=None,
        description="OCPUs and memory: required for a flexible shape, not allowed for others.",
    )
    block_storage_size_in_gbs: BlockStorageSize | None = Field(
        default=None,
        alias="blockStorageSizeInGBs",
        description="Block storage of each node in gigabytes; by default that of the job.",
    )
    capacity_reservation_ids: Annotated[
        tuple[Ocid, ...], Field(max_length=10, json_schema_extra=SET_LIST)
    ] = Field(
        default=(),
        description="Capacity reservations that the nodes come from; by default that of the job.",
    )
    env: EnvVars = Field(
        default=(),
        description="Variables for these nodes only, added to those of the job and of the run.",
    )
    args: Arguments | None = Field(
        default=None, description="Arguments of these nodes, instead of those of the job."
    )
    startup_probe: StartupProbe | None = Field(
        default=None,
        description="A command that detects that a node has started; by default that of the job.",
    )
