"""What an object waits for, by key."""

from __future__ import annotations

from collections.abc import Iterable

from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.model import Model
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.reconcile.dependencies import Wanted, wanted_of


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
