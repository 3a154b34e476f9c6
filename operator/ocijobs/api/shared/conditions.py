"""metav1 conditions, and the types that our kinds use.

kstatus (Flux, Argo CD) reads `Reconciling`, `Stalled` and `Ready`; `kubectl wait`, Katib and Argo Workflows
read `Complete` and `Failed`. Which condition a resource has in which phase is decided in
`reconcile/standing.py` and printed in docs/conditions.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ocijobs.api.shared.model import Model, Time, map_list


class ConditionType(StrEnum):
    """Types of conditions. The name of each says what True means."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    RESULTS_READY = "ResultsReady"
    STATUS_REFUSED = "StatusRefused"


class ConditionStatus(StrEnum):
    """Status of a condition: True, False or Unknown."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One observation of the resource's state (metav1.Condition)."""

    type: Annotated[str, Field(max_length=316)] = Field(description="What is observed.")
    status: ConditionStatus = Field(description="True, False or Unknown.")
    observed_generation: int | None = Field(
        default=None, ge=0, description="The metadata.generation that the observation is of."
    )
    last_transition_time: Time = Field(description="When status last changed.")
    reason: Annotated[str, Field(max_length=1024)] = Field(
        description="Why, in one word. Every reason has a section in docs/reference/reasons.md."
    )
    message: Annotated[str, Field(max_length=32768)] = Field(
        description="Why, in words, and what to do about it if there is something to do."
    )


Conditions = Annotated[
    tuple[Condition, ...], Field(max_length=16, json_schema_extra=map_list("type"))
]


def find(conditions: tuple[Condition, ...], kind: ConditionType) -> Condition | None:
    """Return the condition of that type, or None."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_true(conditions: tuple[Condition, ...], kind: ConditionType) -> bool:
    """Whether the condition of that type is there and True."""
    condition = find(conditions, kind)
    return condition is not None and condition.status is ConditionStatus.TRUE
