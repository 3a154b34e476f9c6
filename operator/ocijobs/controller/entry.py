"""An object as the store has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ocijobs.api.shared.metadata import ObjectKey, ObjectMeta
from ocijobs.api.shared.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An object, and the model that it is; or why it is none, and then its document."""

    key: ObjectKey
    metadata: ObjectMeta
    resource: Model | None
    problem: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


ChangeListener = Callable[[ObjectKey, Entry | None, Entry | None], None]
"""Told of each change: the key, the object before, the object after; None where there is none."""
