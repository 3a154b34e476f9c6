"""Which object waits for which, in the store: dependencies, their cycles, and whether others wait."""

from __future__ import annotations

from collections.abc import Iterator

from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.api.shared.dependency import DependencyKind
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.model import Model
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.controller.entry import Entry, dependency_keys, waits_for
from ocijobs.controller.store import Store
from ocijobs.reconcile.dependencies import (
    DependencyKey,
    DependencyView,
    Relations,
)
from ocijobs.reconcile.sweep.indices import index_of, names_index


def relations_of(store: Store, key: ObjectKey) -> Relations:
    """Return the relations of an object that can wait and be waited for."""
    entry = store.get(key)
    resource = entry.resource if entry is not None else None
    return Relations(
        views=_views(store, key.namespace, resource),
        cycle=_cycle(store, key),
        awaited=entry is not None and expires(entry) and _awaited(store, entry),
    )


def expires(entry: Entry) -> bool:
    """Whether an object is deleted by itself some time after its end."""
    resource = entry.resource
    return (
        isinstance(resource, OCIJobRun | OCIJobSweep)
        and resource.spec.ttl_seconds_after_finished is not None
    )


def _awaited(store: Store, entry: Entry) -> bool:
    """Whether others wait for an object, so that it must not be deleted yet."""
    if _uncounted(store, entry):
        return True
    return any(_still_waits(store, waiter, entry.key) for waiter in store.waiting_for(entry.key))


def _uncounted(store: Store, entry: Entry) -> bool:
    """Whether the sweep or the schedule that made an object still has to record the object or its end."""
    reference = entry.metadata.controller
    if reference is None:
        return False
    owner = store.get(ObjectKey(reference.kind, entry.key.namespace, reference.name))
    if owner is None or owner.metadata.uid != reference.uid:
        return False
    match owner.resource:
        case OCIJobSchedule(status=schedule):
            return schedule.starting is not None
        case OCIJobSweep(status=status):
            index = index_of(owner.key.name, entry.key.name)
            recorded = (status.completed_indexes, status.failed_indexes)
            return not status.ended and not any(names_index(text, index) for text in recorded)
        case _:
            return False


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
    """Return a run or a sweep in the form that objects which wait for it need."""
    match resource:
        case OCIJobRun(metadata=meta, status=status):
            results = status.results or {}
            return DependencyView(
                uid=meta.uid,
                phase=status.phase or "Pending",
                ended=status.ended,
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
        ended=status.ended,
        succeeded=status.phase == "Succeeded",
        values=values,
    )


def _cycle(store: Store, start: ObjectKey) -> tuple[str, ...]:
    """Return the names on a path of dependencies that leads from an object back to itself."""
    came_from: dict[ObjectKey, ObjectKey | None] = {start: None}
    ways = [start]
    while ways:
        here = ways.pop()
        for key in _still_awaited(store, here):
            if key == start:
                return tuple(f"{step.kind} {step.name}" for step in _way_to(here, came_from))
            if key not in came_from:
                came_from[key] = here
                ways.append(key)
    return ()


def _way_to(end: ObjectKey, came_from: dict[ObjectKey, ObjectKey | None]) -> tuple[ObjectKey, ...]:
    way: list[ObjectKey] = []
    step: ObjectKey | None = end
    while step is not None:
        way.append(step)
        step = came_from[step]
    return tuple(reversed(way))


def _still_awaited(store: Store, waiter: ObjectKey) -> Iterator[ObjectKey]:
    """Yield what an object still waits for, without what is recorded or came too late."""
    entry = store.get(waiter)
    if entry is not None:
        for key in dependency_keys(waiter.namespace, entry.resource):
            if _still_waits(store, waiter, key):
                yield key


def _still_waits(store: Store, waiter: ObjectKey, key: ObjectKey) -> bool:
    """Whether an object has not recorded yet what it waits for."""
    entry = store.get(waiter)
    resource = entry.resource if entry is not None else None
    if not isinstance(resource, OCIJobRun | OCIJobSweep):
        return False
    status = resource.status
    if status.ended:
        return False
    kind = DependencyKind(key.kind)
    return all((d.kind, d.name) != (kind, key.name) for d in status.dependencies)
