"""What could never run of what a schedule would make: told when it is applied, and not every night."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.run.settings import RunSettings
from ocijobs.api.schedule import OCIJobScheduleSpec, ScheduledResource
from ocijobs.api.shared.dependency import DependencyKind
from ocijobs.reconcile import sweep_points
from ocijobs.reconcile.dependencies import Wanted, wanted_of
from ocijobs.reconcile.failure_rules import invalid_pattern


def problem(spec: OCIJobScheduleSpec) -> str | None:
    """Return what is wrong with the resources, in words; None if nothing is seen."""
    kinds = {one.name: one.kind for one in spec.resources}
    wrong = (_wrong(one, kinds) for one in spec.resources)
    return next((text for text in wrong if text is not None), None) or _cycle(spec, kinds)


def _wrong(one: ScheduledResource, kinds: Mapping[str, DependencyKind]) -> str | None:
    where = f"spec.resources[{one.name}]"
    if one.sweep is not None and (wrong := sweep_points.problem(one.sweep)) is not None:
        return f"{where}.sweep.{wrong.removeprefix('spec.')}"
    if (wrong := invalid_pattern(_settings(one))) is not None:
        part = "run" if one.run is not None else "sweep.runTemplate.spec"
        return f"{where}.{part}.{wrong.removeprefix('spec.')}"
    for wanted in _wanted(one):
        kind = kinds.get(wanted.name, wanted.kind)
        if kind is not wanted.kind:
            return f"{where}: waits for {wanted.name} of this schedule, which is an {kind}: say so in `kind`"
    return None


def _cycle(spec: OCIJobScheduleSpec, kinds: Mapping[str, DependencyKind]) -> str | None:
    """Return the way from a resource over what it waits for back to itself."""
    waits = {
        one.name: [wanted.name for wanted in _wanted(one) if wanted.name in kinds]
        for one in spec.resources
    }
    for start in waits:
        ways: list[tuple[str, ...]] = [(start,)]
        seen = {start}
        while ways:
            way = ways.pop()
            for name in waits[way[-1]]:
                if name == start:
                    circle = " -> ".join((*way, start))
                    return f"spec.resources: dependsOn: {circle} is a cycle: nothing in it can ever begin"
                if name not in seen:
                    seen.add(name)
                    ways.append((*way, name))
    return None


def _wanted(one: ScheduledResource) -> tuple[Wanted, ...]:
    depends_on = one.run.depends_on if one.run is not None else ()
    depends_on = one.sweep.depends_on if one.sweep is not None else depends_on
    return wanted_of(depends_on, _settings(one).env)


def _settings(one: ScheduledResource) -> RunSettings:
    """Return what its runs have different from the job."""
    if one.sweep is not None:
        return one.sweep.run_template.spec
    return one.run or RunSettings()
