"""Every field of CreateJobDetails has a field of the manifest or a reason, and the fields that are named exist."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from oci.data_science import models

from ocijobs.api.coverage import ADS_INFRASTRUCTURE, ADS_RUNTIMES, CREATE_JOB_DETAILS, Covered
from ocijobs.api.job import OCIJobSpec
from ocijobs.api.schema import model_schema

SPEC = model_schema(OCIJobSpec)


def subtypes(name: str) -> list[Any]:
    """Return the model of that name, or the models that stand for it."""
    model = getattr(models, name)
    children = [m for m in vars(models).values() if isinstance(m, type) and model in m.__bases__]
    return children or [model]


def fields(model: Any, prefix: str = "") -> Iterator[str]:
    """Yield the paths of all fields of an SDK's model, of every subtype."""
    made = model()
    for attribute, kind in made.swagger_types.items():
        path = f"{prefix}{made.attribute_map[attribute]}"
        name = kind.removeprefix("list[").rstrip("]")
        if not hasattr(models, name):
            yield path
            continue
        for subtype in subtypes(name):
            # Groups of nodes are of one type, whatever their parts might be elsewhere.
            if "Group" in prefix and subtype.__name__.startswith(
                ("Standalone", "Managed", "Empty")
            ):
                continue
            yield from fields(subtype, f"{path}.")


def exists(path: str) -> bool:
    node: Mapping[str, Any] = SPEC
    for part in path.split("."):
        node = node.get("items", node)
        if part not in node.get("properties", {}):
            return False
        node = node["properties"][part]
    return True


def test_every_field_of_the_api_has_one_of_the_manifest_or_a_reason() -> None:
    found = set(fields(models.CreateJobDetails))
    assert found - CREATE_JOB_DETAILS.keys() == set(), "fields that nothing is said of"
    assert CREATE_JOB_DETAILS.keys() - found == set(), "fields that the API does not have"


@pytest.mark.parametrize(
    "covered",
    [ADS_INFRASTRUCTURE, *ADS_RUNTIMES.values(), CREATE_JOB_DETAILS],
    ids=["ADS infrastructure", *ADS_RUNTIMES, "CreateJobDetails"],
)
def test_the_fields_that_are_named_exist(covered: Covered) -> None:
    missing = [path for path in covered.values() if isinstance(path, str) and not exists(path)]
    assert missing == []
