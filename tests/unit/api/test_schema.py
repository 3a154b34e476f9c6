"""What a model must say to become a schema: the field that does not is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pytest
from pydantic import Field

from ocijobs.api.crd import Kind, _object_schema
from ocijobs.api.schema import UnexpressibleError, model_schema
from ocijobs.api.shared.model import SET_LIST, Model


def model(annotation: Any, **given: Any) -> type[Model]:
    """Return a model with one field."""
    fields = {"field": Field(**({"description": "A field."} | given))}
    spaces = {"__annotations__": {"field": annotation}, "__doc__": "A model.", **fields}
    made: type[Model] = type("Example", (Model,), spaces)
    return made


def field(annotation: Any, **given: Any) -> Mapping[str, Any]:
    """Return the schema of such a field."""
    made: Mapping[str, Any] = model_schema(model(annotation, **given))
    found: Mapping[str, Any] = made["properties"]["field"]
    return found


@pytest.mark.parametrize(
    ("annotation", "given", "problem"),
    [
        (int, {"description": ""}, "Example.field: has no description"),
        (str, {}, "Example.field: has no maxLength"),
        (int | bool, {}, "Example.field: a union of 2 types"),
        (dict, {}, "Example.field: a map must say what its values are"),
        (dict[str, int], {}, "Example.field: has no maxProperties"),
        (tuple[int, ...], {}, "Example.field: has no maxItems"),
        (tuple[int, ...], {"max_length": 3}, "Example.field: has no x-kubernetes-list-type"),
        (None, {}, "Example.field: can't express type null"),
        (Any, {}, "Example.field: can't express a schema without type"),
        (int, {"multiple_of": 2}, "Example.field: can't express ['multipleOf']"),
    ],
)
def test_what_a_definition_can_not_hold_is_refused(
    annotation: Any, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UnexpressibleError) as refused:
        field(annotation, **given)
    assert str(refused.value) == problem


def test_bounds_are_those_of_the_model() -> None:
    assert field(float, gt=0)["exclusiveMinimum"] is True
    assert field(int)["maximum"] == 2**53
    listed = field(tuple[int, ...], max_length=3, json_schema_extra=SET_LIST)
    assert listed["items"] == {"type": "integer", "format": "int64", "maximum": 2**53}


def test_a_value_that_is_the_only_one_is_an_enumeration() -> None:
    assert field(Literal["v1"])["enum"] == ["v1"]


def test_a_kind_is_made_of_models() -> None:
    class Odd(Model):
        """No kind."""

        spec: int | None = None
        status: int | None = None

    kind = Kind(model=Odd, plural="odds", short="odd", columns=())
    with pytest.raises(UnexpressibleError, match="Odd: spec and status must be models"):
        _object_schema(kind)
