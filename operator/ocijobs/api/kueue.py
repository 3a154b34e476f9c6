"""Kueue's Workload as far as the operator reads it, and the labels that put a run into a queue.

Source: apis/kueue/v1beta2 and pkg/workload of Kueue 0.17; the version is served since Kueue 0.15.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import Field

from ocijobs.api.shared.conditions import Condition, ConditionStatus
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.model import Model
from ocijobs.api.shared.names import GROUP

KUEUE_GROUP: Final = "kueue.x-k8s.io"
KUEUE_VERSION: Final = "v1beta2"
KUEUE_API_VERSION: Final = f"{KUEUE_GROUP}/{KUEUE_VERSION}"
WORKLOAD: Final = "Workload"

LABEL_QUEUE: Final = f"{KUEUE_GROUP}/queue-name"
"""On a run, a sweep or a schedule: the LocalQueue that admits its runs."""

LABEL_PRIORITY: Final = f"{KUEUE_GROUP}/priority-class"
"""Beside it: the WorkloadPriorityClass."""

LABEL_RUN: Final = f"{GROUP}/run"
"""On a Workload of ours: the run's name."""

LABEL_SHAPE: Final = f"{GROUP}/shape"
"""In the node selector of a Workload's pods: the shape, so that a ResourceFlavor can be of one shape."""

ANNOTATION_REQUEST: Final = f"{GROUP}/request"
"""On a Workload of ours: digest of the queue, the priority class and the machines that it asks for."""

QUEUE_LABELS: Final = (LABEL_QUEUE, LABEL_PRIORITY)


class WorkloadCondition(StrEnum):
    """Types of a Workload's conditions."""

    QUOTA_RESERVED = "QuotaReserved"
    ADMITTED = "Admitted"
    EVICTED = "Evicted"
    REQUEUED = "Requeued"
    FINISHED = "Finished"


class WorkloadSpec(Model):
    """What the Workload asks for."""

    active: bool = True


class WorkloadStatus(Model):
    """What Kueue says."""

    admission: Mapping[str, object] | None = None
    conditions: tuple[Condition, ...] = ()


class Workload(Model):
    """A unit of admission: what takes quota of a queue, and whether it may run."""

    metadata: ObjectMeta
    spec: WorkloadSpec = Field(default_factory=WorkloadSpec)
    status: WorkloadStatus = Field(default_factory=WorkloadStatus)

    def condition(self, kind: WorkloadCondition) -> Condition | None:
        """Return a condition, or None."""
        return next((each for each in self.status.conditions if each.type == kind), None)

    def has(self, kind: WorkloadCondition) -> bool:
        """Whether a condition is there and True."""
        found = self.condition(kind)
        return found is not None and found.status is ConditionStatus.TRUE

    @property
    def admitted(self) -> bool:
        """Whether what it is for may run, and go on to run."""
        over = self.has(WorkloadCondition.EVICTED) or self.has(WorkloadCondition.FINISHED)
        kept = self.spec.active and not self.metadata.deleting and not over
        return kept and self.has(WorkloadCondition.ADMITTED)
