"""What the definitions leave of Kubernetes' limits: the cost of CEL rules, and the size of an annotation."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from tests.support.namespace import Namespace

from ocijobs.api.crd import custom_resource_definitions

ANNOTATION_LIMIT = 262_144
"""Bytes of all annotations of an object; `kubectl apply` keeps the whole object in one."""

LEAST_HEADROOM = 0.2
"""Part of the cost budget that is to be free: the next field must not be refused."""

DEFINITIONS = {d["metadata"]["name"]: d for d in custom_resource_definitions()}
Schema = dict[str, Any]

_PADDING = "self.padding.all(x, x.matches('^[a-z]{1,50}$'))"
_MOST = 1024


@pytest.mark.parametrize("name", DEFINITIONS)
def test_client_side_apply_can_hold_it(name: str) -> None:
    size = len(json.dumps(DEFINITIONS[name], separators=(",", ":")))
    print(f"{name}: {size} bytes of {ANNOTATION_LIMIT}")
    assert size < 0.75 * ANNOTATION_LIMIT


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_cost_of_its_rules_leaves_room(alone: Namespace, name: str) -> None:
    def taken(definition: Schema) -> Callable[[int], bool]:
        return lambda rules: _is_taken(alone, _padded(definition, rules))

    empty = copy.deepcopy(DEFINITIONS[name])
    _schema(empty)["properties"] = {"spec": {"type": "object", "properties": {}}}
    _schema(empty).pop("x-kubernetes-validations", None)
    headroom = _greatest(taken(DEFINITIONS[name])) / _greatest(taken(empty))
    print(f"{name}: {headroom:.0%} of the CEL cost budget is free")
    assert headroom > LEAST_HEADROOM


def _schema(definition: Schema) -> Schema:
    schema: Schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _padded(definition: Schema, rules: int) -> Schema:
    """Return the definition under another name, with as many more rules of one cost."""
    padded = copy.deepcopy(definition)
    group = "padding.example.com"
    padded["spec"]["group"] = group
    padded["metadata"] = {"name": f"{padded['spec']['names']['plural']}.{group}"}
    spec = _schema(padded)["properties"]["spec"]
    spec["properties"]["padding"] = {
        "type": "array",
        "maxItems": 500,
        "items": {"type": "string", "maxLength": 4000},
    }
    more = [{"rule": f"!has(self.padding) || {_PADDING}"} for _ in range(rules)]
    spec["x-kubernetes-validations"] = [*spec.get("x-kubernetes-validations", ()), *more]
    return padded


def _is_taken(alone: Namespace, definition: Schema) -> bool:
    said = alone.kubectl(
        "create",
        "--dry-run=server",
        "--validate=false",
        "-f",
        "-",
        stdin=yaml.safe_dump(definition),
        check=False,
    )
    if "created (server dry run)" in said:
        return True
    assert "estimated rule cost" in said or "exceeds budget" in said, said
    return False


def _greatest(taken: Callable[[int], bool]) -> int:
    """Return the greatest number of rules that is taken."""
    least, most = 0, _MOST
    assert taken(least), "it is refused as it is"
    assert not taken(most), "the padding costs too little"
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if taken(middle) else (least, middle)
    return least
