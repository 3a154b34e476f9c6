"""Compute shapes and their sizes.

Rules from the Data Science API: `*.Flex` shapes and only they take a shape configuration; block storage is 50 GB at
least.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ocijobs.api.shared.model import Model

ShapeName = Annotated[str, Field(min_length=1, max_length=255)]
BlockStorageSize = Annotated[int, Field(ge=50, le=10240)]


class CpuBaseline(StrEnum):
    """Baseline OCPU utilisation of a burstable shape."""

    BASELINE_1_8 = "BASELINE_1_8"
    BASELINE_1_2 = "BASELINE_1_2"
    BASELINE_1_1 = "BASELINE_1_1"


class JobShapeConfigDetails(Model):
    """Size of a flexible shape."""

    ocpus: Annotated[float, Field(gt=0, le=1024)] | None = Field(
        default=None, description="Number of OCPUs (a physical core each)."
    )
    memory_in_gbs: Annotated[float, Field(gt=0, le=65536)] | None = Field(
        default=None, alias="memoryInGBs", description="Memory in gigabytes."
    )
    cpu_baseline: CpuBaseline | None = Field(
        default=None,
        description="Baseline of a burstable instance; BASELINE_1_1, the default, is not burstable.",
    )


def shape_rule(*, optional: bool) -> tuple[str, str]:
    """Return the CEL rule, and its message, of a model with a shape and a size; the shape may be left out."""
    flexible = "self.shapeName.endsWith('.Flex')"
    named = f"has(self.shapeName) && {flexible}" if optional else flexible
    return (
        f"({named}) == has(self.jobShapeConfigDetails)",
        "jobShapeConfigDetails is needed with a shape whose name ends with .Flex, and only with it",
    )
