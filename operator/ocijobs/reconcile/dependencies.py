"""What runs and sweeps wait for: each dependency is recorded when it is met, and not asked for again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ocijobs.api.shared.dependency import (
    Dependency,
    DependencyCondition,
    DependencyKind,
    DependsOn,
    RunEnvVar,
)
from ocijobs.api.shared.reasons import Reason

DependencyKey = tuple[DependencyKind, str]

_SHOWN = 5
"""Dependencies that a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyView:
    """A run or a sweep, as far as those who wait for it need it.

    Attributes:
        phase: where it is, in words.
        ended: whether its end is written.
        succeeded: whether it ended well.
        values: what it reports: `result:<name>`, and of a sweep `parameter:<variable>` of its best run.
    """

    uid: str
    phase: str
    ended: bool
    succeeded: bool
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted of one dependency."""

    kind: DependencyKind
    name: str
    condition: DependencyCondition
    values: frozenset[str]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Met:
    """All has come."""

    dependencies: tuple[Dependency, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something is still awaited; `dependencies` is what has come."""

    dependencies: tuple[Dependency, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Hopeless:
    """What is awaited will never come."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """What is around an object that can wait and be waited for.

    Attributes:
        views: what it waits for, as it is now; what does not exist is left out.
        cycle: the dependencies that lead from the object back to itself.
        awaited: whether others wait for it, so that it is not to go yet.
    """

    views: Mapping[DependencyKey, DependencyView] = field(default_factory=dict)
    cycle: tuple[str, ...] = ()
    awaited: bool = False


def wanted_of(depends_on: Iterable[DependsOn], env: Iterable[RunEnvVar]) -> tuple[Wanted, ...]:
    """Return what is waited for: what dependsOn names, and what variables take values from."""
    conditions: dict[DependencyKey, DependencyCondition] = {}
    for item in depends_on:
        # Named twice, both have to hold: what has succeeded has finished.
        if conditions.get((item.kind, item.name)) is not DependencyCondition.SUCCEEDED:
            conditions[item.kind, item.name] = item.condition
    values: dict[DependencyKey, set[str]] = {key: set() for key in conditions}
    for variable in env:
        reference = variable.result_ref
        if reference is not None:
            key = reference.kind, reference.name
            conditions.setdefault(key, DependencyCondition.SUCCEEDED)
            values.setdefault(key, set()).add(reference.value_key)
    return tuple(
        Wanted(kind=kind, name=name, condition=condition, values=frozenset(values[kind, name]))
        for (kind, name), condition in conditions.items()
    )


def evaluate(
    wanted: tuple[Wanted, ...], recorded: tuple[Dependency, ...], relations: Relations
) -> Met | Waiting | Hopeless:
    """Return whether all that is wanted has come.

    Args:
        wanted: by the object.
        recorded: what its status has of them.
        relations: what is around it now.
    """
    former = {(item.kind, item.name): item for item in recorded}
    met: list[Dependency] = []
    waiting: list[str] = []
    for item in wanted:
        key = item.kind, item.name
        view = relations.views.get(key)
        if key in former:
            met.append(former[key])
        elif view is None:
            waiting.append(f"{item}, which does not exist")
        elif not view.ended:
            waiting.append(f"{item}, which is {view.phase}")
        elif (hopeless := _hopeless(item, view)) is not None:
            return hopeless
        else:
            met.append(_record(item, view))
    if waiting and relations.cycle:
        circle = " -> ".join((*relations.cycle, relations.cycle[0]))
        message = f"spec.dependsOn: {circle} is a cycle: nothing in it can ever begin"
        return Hopeless(Reason.INVALID_SPEC, message)
    if not waiting:
        return Met(tuple(met))
    return Waiting(tuple(met), f"spec.dependsOn: waiting for {_first(waiting)}")


def _first(waiting: list[str]) -> str:
    more = len(waiting) - _SHOWN
    return "; ".join(waiting[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _hopeless(wanted: Wanted, view: DependencyView) -> Hopeless | None:
    """Return why it is in vain to wait, though what is waited for has ended."""
    if wanted.condition is DependencyCondition.SUCCEEDED and not view.succeeded:
        return Hopeless(
            Reason.DEPENDENCY_FAILED,
            f"spec.dependsOn: {wanted} has ended as {view.phase}, and not as Succeeded",
        )
    if missing := sorted(wanted.values - view.values.keys()):
        named = ", ".join(name.replace(":", " ", 1) for name in missing)
        return Hopeless(
            Reason.RESULT_MISSING, f"spec.env: {wanted} has ended without reporting {named}"
        )
    return None


def _record(wanted: Wanted, view: DependencyView) -> Dependency:
    return Dependency(
        kind=wanted.kind,
        name=wanted.name,
        uid=view.uid,
        phase=view.phase,
        values={name: view.values[name] for name in sorted(wanted.values)},
    )


def filled_in(
    env: tuple[RunEnvVar, ...], recorded: tuple[Dependency, ...]
) -> tuple[RunEnvVar, ...]:
    """Return variables with the values of others in place of references to them, as they were recorded."""
    found = {(item.kind, item.name): item.values for item in recorded}

    def filled(variable: RunEnvVar) -> RunEnvVar:
        reference = variable.result_ref
        if reference is None:
            return variable
        value = found.get((reference.kind, reference.name), {}).get(reference.value_key, "")
        # What another run printed is a text, whatever dollars are in it.
        return RunEnvVar(name=variable.name, value=value.replace("$", "$$"))

    return tuple(filled(variable) for variable in env)
