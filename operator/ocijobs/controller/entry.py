"""An object as the store has it, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.metadata import ObjectKey, ObjectMeta
from ocijobs.api.shared.model import Model
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.reconcile.dependencies import Wanted, wanted_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A stored object: its model, or the reason why it does not validate and the document."""

    key: ObjectKey
    metadata: ObjectMeta
    resource: Model | None
    problem: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


ChangeListener = Callable[[ObjectKey, Entry | None, Entry | None], None]
"""Told of each change: the key, the object before, the object after; None where there is none."""


def waits_for(resource: Model | None) -> tuple[Wanted, ...]:
    """Return what an object waits for."""
    match resource:
        case OCIJobRun(spec=spec):
            return wanted_of(spec.depends_on, spec.env)
        case OCIJobSweep(spec=sweep):
            return wanted_of(sweep.depends_on, sweep.run_template.spec.env)
        case _:
            return ()


def dependency_keys(namespace: str, resource: Model | None) -> Iterable[ObjectKey]:
    """Yield the keys of what an object waits for."""
    for wanted in waits_for(resource):
        yield ObjectKey(wanted.kind, namespace, wanted.name)
