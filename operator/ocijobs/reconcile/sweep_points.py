"""The combinations of a sweep: which run has which parameters, by its index."""

from __future__ import annotations

import math
import re

from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.dependency import RunEnvVar
from ocijobs.api.shared.model import ENV_NAME_PATTERN
from ocijobs.api.shared.names import RESERVED_ENV_PREFIX
from ocijobs.api.sweep.settings import MOST_CHILDREN, SweepPoint, SweepSettings
from ocijobs.backends.environment import reserved_names

_NAME = re.compile(ENV_NAME_PATTERN)


def total(spec: SweepSettings) -> int:
    """Return the number of combinations."""
    if spec.points is not None:
        return len(spec.points)
    return math.prod(len(values) for values in (spec.matrix or {}).values())


def point(spec: SweepSettings, index: int) -> SweepPoint:
    """Return what the run of that index has: names sorted, the last one changing fastest."""
    if spec.points is not None:
        return spec.points[index]
    parameters: dict[str, str] = {}
    rest = index
    for name, values in sorted((spec.matrix or {}).items(), reverse=True):
        rest, place = divmod(rest, len(values))
        parameters[name] = values[place]
    return SweepPoint(parameters=dict(sorted(parameters.items())))


def problem(spec: SweepSettings) -> str | None:
    """Return what is wrong with the combinations, in words: field, rule, and what to do."""
    field = "spec.points" if spec.points is not None else "spec.matrix"
    number = total(spec)
    if number > MOST_CHILDREN:
        return (
            f"{field}: {number:,} combinations, and {MOST_CHILDREN:,} are the most: take fewer values, "
            "or several sweeps"
        )
    return _wrong_names(field, _names(spec))


def _names(spec: SweepSettings) -> list[str]:
    """Return the names of all parameters."""
    return sorted(
        {name for one in spec.points or () for name in one.parameters} | set(spec.matrix or {})
    )


def _wrong_names(field: str, names: list[str]) -> str | None:
    if strange := [name for name in names if not _NAME.fullmatch(name)]:
        return (
            f"{field}: {', '.join(strange)}: no name of an environment variable: letters, digits and "
            "underscores, the first no digit"
        )
    variables = tuple(RunEnvVar(name=name, value="") for name in names)
    if reserved := reserved_names(variables):
        return (
            f"{field}: {', '.join(reserved)}: reserved for OCI and the operator ({RESERVED_ENV_PREFIX}...),"
            " use other names"
        )
    return None


def settings_of(template: RunSettings, one: SweepPoint) -> RunSettings:
    """Return what a run has: the template, with the point's parameters and overrides."""
    env = {variable.name: variable for variable in template.env}
    env |= {
        name: RunEnvVar(name=name, value=value.replace("$", "$$"))
        for name, value in one.parameters.items()
    }
    given = {
        "args": one.args,
        "maximum_runtime_in_minutes": one.maximum_runtime_in_minutes,
        "infrastructure": one.infrastructure,
    }
    overrides = {name: value for name, value in given.items() if value is not None}
    return template.model_copy(update={"env": tuple(env.values()), **overrides})
