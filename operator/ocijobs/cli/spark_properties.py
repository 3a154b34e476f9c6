"""Properties of Spark and of Data Flow that fields of an OCIJob say: variables, dynamic allocation, whose rights."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from ocijobs.api.job.machines.data_flow import OWN_PROPERTIES, DynamicAllocation
from ocijobs.cli.document_keys import Spec

AUTH = "dataflow.auth"
"""Whose rights a run has."""

DEFAULT_AUTH = "resource_principal"
"""What it is unless spec.infrastructure.dataFlow.sparkConfiguration has another."""

_ALLOCATION = "spark.dynamicAllocation."
_ENABLED = (f"{_ALLOCATION}enabled", f"{_ALLOCATION}shuffleTracking.enabled")
_BOUNDS = {
    "minExecutors": f"{_ALLOCATION}minExecutors",
    "maxExecutors": f"{_ALLOCATION}maxExecutors",
}


def of_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the properties that give variables to driver and executors."""
    return {
        f"{beginning}{name}": value
        for name, value in variables.items()
        for beginning in OWN_PROPERTIES
    }


def take_variables(properties: dict[str, str], remarks: list[str]) -> dict[str, str]:
    """Take the variables of driver and executors out of properties, and return them."""
    taken: dict[str, str] = {}
    for beginning in OWN_PROPERTIES:
        for key in [key for key in properties if key.startswith(beginning)]:
            name, value = key.removeprefix(beginning), properties.pop(key)
            if taken.setdefault(name, value) != value:
                remarks.append(
                    f"{key}: driver and executors have the same variables: env.{name} is the driver's"
                )
    return taken


def of_dynamic_allocation(allocation: DynamicAllocation) -> dict[str, str]:
    """Return the properties of executors that come and go."""
    return {
        **dict.fromkeys(_ENABLED, "true"),
        _BOUNDS["minExecutors"]: str(allocation.min_executors),
        _BOUNDS["maxExecutors"]: str(allocation.max_executors),
    }


def take_dynamic_allocation(properties: dict[str, str]) -> Spec | None:
    """Take dynamic allocation out of properties if they say what its field can say, and return it."""
    if any(properties.get(key) != "true" for key in _ENABLED):
        return None
    bounds = {name: properties.get(key, "") for name, key in _BOUNDS.items()}
    try:
        allocation = DynamicAllocation.model_validate(bounds)
    except ValidationError:
        return None
    if allocation.min_executors > allocation.max_executors:
        return None
    for key in (*_ENABLED, *_BOUNDS.values()):
        del properties[key]
    return allocation.document()
