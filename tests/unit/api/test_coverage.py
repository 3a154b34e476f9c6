"""Every field that OCI's APIs create from has a field of the manifest or a reason, and what is named exists."""

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from oci import data_flow, data_science

from generators.oci_coverage import (
    CREATE_APPLICATION_DETAILS,
    CREATE_JOB_DETAILS,
    CREATE_RUN_DETAILS,
    Covered,
)
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.run.spec import OCIJobRunSpec
from ocijobs.api.schema import model_schema
from ocijobs.api.shared.model import Model
from ocijobs.cli.ads_keys import INFRASTRUCTURES, RUNTIMES, Converted, Keys


def fields_of(keys: Keys) -> Covered:
    return {
        key: value.spec if isinstance(value, Converted) else value for key, value in keys.items()
    }


DETAILS: dict[str, tuple[ModuleType, Covered]] = {
    "CreateJobDetails": (data_science.models, CREATE_JOB_DETAILS),
    "CreateApplicationDetails": (data_flow.models, CREATE_APPLICATION_DETAILS),
    "CreateRunDetails": (data_flow.models, CREATE_RUN_DETAILS),
}
OF_JOBS: dict[str, Covered] = {
    **{f"infrastructure {name}": fields_of(keys) for name, keys in INFRASTRUCTURES.items()},
    **{f"runtime {name}": fields_of(keys) for name, keys in RUNTIMES.items()},
    "CreateJobDetails": CREATE_JOB_DETAILS,
    "CreateApplicationDetails": CREATE_APPLICATION_DETAILS,
}


def subtypes(models: ModuleType, name: str) -> list[Any]:
    """Return the model of that name, or the models that stand for it."""
    model = getattr(models, name)
    children = [m for m in vars(models).values() if isinstance(m, type) and model in m.__bases__]
    return children or [model]


def fields(models: ModuleType, model: Any, prefix: str = "") -> Iterator[str]:
    """Yield the paths of all fields of an SDK's model, of every subtype."""
    made = model()
    for attribute, kind in made.swagger_types.items():
        path = f"{prefix}{made.attribute_map[attribute]}"
        name = kind.removeprefix("list[").rstrip("]")
        if not hasattr(models, name):
            yield path
            continue
        for subtype in subtypes(models, name):
            # Groups of nodes are of one type, whatever their parts might be elsewhere.
            if "Group" in prefix and subtype.__name__.startswith(
                ("Standalone", "Managed", "Empty")
            ):
                continue
            yield from fields(models, subtype, f"{path}.")


def missing(covered: Covered, spec: type[Model]) -> list[str]:
    """Return the paths that a table names and a spec does not have."""
    schema = model_schema(spec)
    return [path for path in covered.values() if isinstance(path, str) and not exists(schema, path)]


def exists(schema: Mapping[str, Any], path: str) -> bool:
    node = schema
    for part in path.split("."):
        node = node.get("items", node)
        if part not in node.get("properties", {}):
            return False
        node = node["properties"][part]
    return True


@pytest.mark.parametrize("name", DETAILS)
def test_every_field_of_the_api_has_one_of_the_manifest_or_a_reason(name: str) -> None:
    models, covered = DETAILS[name]
    found = set(fields(models, getattr(models, name)))
    assert found - covered.keys() == set(), "fields that nothing is said of"
    assert covered.keys() - found == set(), "fields that the API does not have"


@pytest.mark.parametrize("name", OF_JOBS)
def test_the_fields_that_are_named_exist(name: str) -> None:
    assert missing(OF_JOBS[name], OCIJobSpec) == []


def test_the_fields_of_runs_that_are_named_exist() -> None:
    assert missing(CREATE_RUN_DETAILS, OCIJobRunSpec) == []
