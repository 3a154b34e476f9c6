"""Actions on the Workload by which a run queues up with Kueue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from ocijobs.reconcile.actions.calls import Operation


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWorkload:
    """Create the run's Workload, with the value of its priority class; `epoch` tells what it asks for."""

    operation: ClassVar[Operation] = Operation.QUEUE
    document: dict[str, Any]
    priority_class: str | None
    epoch: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PatchWorkload:
    """Change the run's Workload, or its status, by a JSON patch with tests."""

    name: str
    changes: tuple[Mapping[str, Any], ...]
    status: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FinishWorkload:
    """Set the Workload's condition Finished, and nothing else of its status."""

    name: str
    condition: Mapping[str, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWorkload:
    """Delete the Workload, if it is still the one with that uid."""

    name: str
    uid: str


WorkloadAction = CreateWorkload | PatchWorkload | FinishWorkload | DeleteWorkload
