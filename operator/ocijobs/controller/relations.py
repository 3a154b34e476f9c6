"""Who waits for whom, in the store: dependencies, cycles of them, and whether others wait."""

from __future__ import annotations

from ocijobs.api.dependency import DependencyKind
from ocijobs.api.job_run import OCIJobRun
from ocijobs.api.metadata import ObjectKey
from ocijobs.api.model import Model
from ocijobs.api.sweep import OCIJobSweep
from ocijobs.controller.awaiting import dependency_keys, waits_for
from ocijobs.controller.store import Store
from ocijobs.reconcile.dependencies import (
    DependencyKey,
    DependencyView,
    Relations,
)


def relations_of(store: Store, key: ObjectKey) -> Relations:
    """Return what is around an object that can wait and be waited for."""
    entry = store.get(key)
    resource = entry.resource if entry is not None else None
    return Relations(
        views=_views(store, key.namespace, resource),
        cycle=_cycle(store, key),
        awaited=any(_still_waits(store, waiter, key) for waiter in store.waiting_for(key)),
    )


def _views(
    store: Store, namespace: str, resource: Model | None
) -> dict[DependencyKey, DependencyView]:
    views: dict[DependencyKey, DependencyView] = {}
    for wanted in waits_for(resource):
        entry = store.get(ObjectKey(wanted.kind, namespace, wanted.name))
        view = view_of(entry.resource) if entry is not None else None
        if view is not None:
            views[wanted.kind, wanted.name] = view
    return views


def view_of(resource: Model | None) -> DependencyView | None:
    """Return a run or a sweep as those see it that wait for it."""
    match resource:
        case OCIJobRun(metadata=meta, status=status):
            results = status.results or {}
            return DependencyView(
                uid=meta.uid,
                phase=status.phase or "Pending",
                ended=status.phase is not None and status.phase.terminal,
                succeeded=status.phase == "Succeeded",
                values={f"result:{name}": value for name, value in results.items()},
            )
        case OCIJobSweep():
            return _view_of_sweep(resource)
        case _:
            return None


def _view_of_sweep(sweep: OCIJobSweep) -> DependencyView:
    status = sweep.status
    values: dict[str, str] = {}
    if status.best is not None:
        values = {f"result:{name}": value for name, value in status.best.results.items()}
        values |= {f"parameter:{name}": value for name, value in status.best.parameters.items()}
    return DependencyView(
        uid=sweep.metadata.uid,
        phase=status.phase or "Pending",
        ended=status.phase is not None and status.phase.terminal,
        succeeded=status.phase == "Succeeded",
        values=values,
    )


def _cycle(store: Store, start: ObjectKey) -> tuple[str, ...]:
    """Return the names on a way that leads from an object over what it waits for back to itself."""
    seen: set[ObjectKey] = set()
    ways: list[tuple[ObjectKey, ...]] = [(start,)]
    while ways:
        way = ways.pop()
        entry = store.get(way[-1])
        if entry is None:
            continue
        for key in dependency_keys(start.namespace, entry.resource):
            if key == start:
                return tuple(f"{step.kind} {step.name}" for step in way)
            if key not in seen:
                seen.add(key)
                ways.append((*way, key))
    return ()


def _still_waits(store: Store, waiter: ObjectKey, key: ObjectKey) -> bool:
    """Whether an object has not recorded yet what it waits for."""
    entry = store.get(waiter)
    resource = entry.resource if entry is not None else None
    if not isinstance(resource, OCIJobRun | OCIJobSweep):
        return False
    status = resource.status
    if status.phase is not None and status.phase.terminal:
        return False
    kind = DependencyKind(key.kind)
    return all((d.kind, d.name) != (kind, key.name) for d in status.dependencies)
