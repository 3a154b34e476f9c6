"""Actions on objects of ours in the cluster: what is made, changed and deleted there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from ocijobs.api.orphan import Orphan


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
    """Create an object of ours in the cluster; one of that name stays as it is."""

    document: dict[str, Any]


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


ObjectAction = (
    AddFinalizer
    | RemoveFinalizer
    | DeleteObject
    | CreateObject
    | EditObject
    | DeleteOwned
    | ListOrphan
)
