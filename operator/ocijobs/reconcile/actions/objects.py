"""Actions on objects in the cluster: our own, and the Workload by which a run queues up with Kueue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NotRequired, TypedDict, final

from ocijobs.api.orphan import Orphan
from ocijobs.reconcile.actions.calls import Operation


@final
@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Hold the object. Never done to an object that is being deleted."""


@final
@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Let the object go."""


@final
@dataclass(frozen=True, slots=True)
class DeleteObject:
    """Delete the object itself, as it was observed: one that has changed since stays."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CreateObject:
    """Create an object of ours in the cluster; one of that name stays as it is.

    Attributes:
        document: the object.
        name: metadata.name of it.
        index: which of a sweep's children it is.
        epoch: circumstances in which it stands that the API server forbade it.
    """

    document: Mapping[str, object]
    name: str
    index: int | None = None
    epoch: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EditObject:
    """Set fields of the spec of an object of ours, if it is still the one with that uid."""

    kind: str
    name: str
    uid: str
    spec: Mapping[str, bool]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOwned:
    """Delete an object that belongs to this one, if it is still the one with that uid."""

    kind: str
    name: str
    uid: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ListOrphan:
    """Note in the operator's own namespace what an object that is let go leaves in OCI."""

    orphan: Orphan


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWorkload:
    """Create the run's Workload, with the value of its priority class; `epoch` tells what it asks for."""

    operation: ClassVar[Operation] = Operation.QUEUE
    document: Mapping[str, object]
    priority_class: str | None
    epoch: str


class Change(TypedDict):
    """An operation of a JSON patch (RFC 6902)."""

    op: Literal["test", "add", "replace", "remove"]
    path: str
    value: NotRequired[object]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PatchWorkload:
    """Change the run's Workload, or its status, by a JSON patch with tests."""

    name: str
    changes: tuple[Change, ...]
    status: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FinishWorkload:
    """Set the Workload's condition Finished, and nothing else of its status."""

    name: str
    condition: Mapping[str, object]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWorkload:
    """Delete the Workload, if it is still the one with that uid."""

    name: str
    uid: str


ObjectAction = (
    AddFinalizer
    | RemoveFinalizer
    | DeleteObject
    | CreateObject
    | EditObject
    | DeleteOwned
    | ListOrphan
)

WorkloadAction = CreateWorkload | PatchWorkload | FinishWorkload | DeleteWorkload
