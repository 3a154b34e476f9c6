"""The CustomResourceDefinitions read like a manual, and what they name is there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ocijobs.api import kinds
from ocijobs.api.crd import custom_resource_definitions
from ocijobs.api.shared.names import CATEGORY

DEFINITIONS = {d["spec"]["names"]["kind"]: d for d in custom_resource_definitions()}


@pytest.fixture(params=sorted(DEFINITIONS))
def definition(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Each of the definitions."""
    found: Mapping[str, Any] = DEFINITIONS[request.param]
    return found


def version(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the only version."""
    (only,) = definition["spec"]["versions"]
    assert isinstance(only, dict)
    return only


def fields(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield all fields below a schema with their paths."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from fields(schema["additionalProperties"], f"{path}{{}}")


def ours(definition: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the fields of spec and status."""
    schema = version(definition)["schema"]["openAPIV3Schema"]
    return [(path, field) for path, field in fields(schema) if path.count(".") > 1]


def test_every_field_is_described(definition: Mapping[str, Any]) -> None:
    bare = [path for path, field in ours(definition) if not field.get("description")]
    assert bare == []
    assert version(definition)["schema"]["openAPIV3Schema"]["description"]


def test_every_string_list_and_map_has_a_bound(definition: Mapping[str, Any]) -> None:
    """Without, the API server takes the worst for the cost of a CEL rule, and may refuse it."""
    bounds = {"string": ("maxLength", "enum", "format"), "array": ("maxItems",)}
    free = [
        path
        for path, field in ours(definition)
        if not any(bound in field for bound in bounds.get(field.get("type", ""), ("type",)))
    ]
    assert free == []
    maps = [f for _, f in ours(definition) if isinstance(f.get("additionalProperties"), dict)]
    assert all("maxProperties" in field for field in maps)


def test_no_default_is_within_a_list(definition: Mapping[str, Any]) -> None:
    """The API server would fill it in, and what compares lists as a whole would find another list than was applied."""
    inside = [path for path, field in ours(definition) if "[]" in path and "default" in field]
    assert inside == []


def test_every_rule_says_what_is_wrong(definition: Mapping[str, Any]) -> None:
    rules = [r for _, f in ours(definition) for r in f.get("x-kubernetes-validations", ())]
    assert [rule["rule"] for rule in rules if len(rule.get("message", "")) < 20] == []


def test_every_column_shows_a_field_that_there_is(definition: Mapping[str, Any]) -> None:
    paths = {path for path, _ in fields(version(definition)["schema"]["openAPIV3Schema"])}
    columns = version(definition)["additionalPrinterColumns"]
    for column in columns:
        if column["jsonPath"].startswith(".metadata."):
            continue
        assert re.sub(r"\[\?.*?\]", "[]", column["jsonPath"]) in paths, column
    assert [c["name"] for c in columns if not c.get("priority")][-1] == "Age"


def test_each_kind_has_a_short_name_of_its_own_and_the_category(
    definition: Mapping[str, Any],
) -> None:
    names = definition["spec"]["names"]
    assert names["categories"] == [CATEGORY]
    shorts = [d["spec"]["names"]["shortNames"] for d in DEFINITIONS.values()]
    assert shorts.count(names["shortNames"]) == 1


def test_status_is_a_subresource_that_begins_as_being_worked_on(
    definition: Mapping[str, Any],
) -> None:
    assert version(definition)["subresources"] == {"status": {}}
    status = version(definition)["schema"]["openAPIV3Schema"]["properties"]["status"]
    shown = {c["type"]: c["status"] for c in status["default"]["conditions"]}
    assert shown == {"Ready": "Unknown", "Reconciling": "True"}


def test_conditions_are_a_list_by_type(definition: Mapping[str, Any]) -> None:
    conditions = dict(ours(definition))[".status.conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]


def test_each_definition_is_of_a_named_kind() -> None:
    named = {kinds.JOB, kinds.RUN, kinds.SWEEP, kinds.SCHEDULE, kinds.IDENTITY}
    assert set(DEFINITIONS) == named
