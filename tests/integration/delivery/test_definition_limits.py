"""What the definitions leave of Kubernetes' limits: the cost of CEL rules, and the size of an annotation."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from kubecontrolplane.cluster import Cluster
from kubecontrolplane.errors import ApiError
from ocijobs.api.crd import custom_resource_definitions

ANNOTATION_LIMIT = 262_144
"""Bytes of all annotations of an object; `kubectl apply` keeps the whole object in one."""

LEAST_HEADROOM = 20
"""Percentage of the cost budget that is to be free: the next field must not be refused."""

Schema = dict[str, Any]
DEFINITIONS: dict[str, Schema] = {
    d["metadata"]["name"]: {**d} for d in custom_resource_definitions()
}

_PADDING = "self.padding.all(x, x.matches('^[a-z]{1,50}$'))"
_MOST = 1024
"""More rules than any definition can have."""


@pytest.mark.parametrize("name", DEFINITIONS)
def test_client_side_apply_can_hold_it(name: str) -> None:
    size = len(json.dumps(DEFINITIONS[name], separators=(",", ":")))
    print(f"{name}: {size} bytes of {ANNOTATION_LIMIT}")
    assert size < 0.75 * ANNOTATION_LIMIT


@pytest.fixture(scope="module")
def budget(definitions: Cluster) -> int:
    """How many rules of one cost fit into a definition that has none."""
    empty = copy.deepcopy(next(iter(DEFINITIONS.values())))
    _schema(empty)["properties"] = {"spec": {"type": "object", "properties": {}}}
    _schema(empty).pop("x-kubernetes-validations", None)
    return _greatest(_MOST, lambda rules: _is_taken(definitions, _padded(empty, rules)))


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_cost_of_its_rules_leaves_room(definitions: Cluster, budget: int, name: str) -> None:
    def is_free(percent: int) -> bool:
        return _is_taken(definitions, _padded(DEFINITIONS[name], budget * percent // 100))

    headroom = _greatest(101, is_free)
    print(f"{name}: {headroom} % of the CEL cost budget are free")
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


def _is_taken(cluster: Cluster, definition: Schema) -> bool:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All"
    try:
        cluster.api().request("POST", path, definition)
    except ApiError as refusal:
        said = str(refusal)
        assert "estimated rule cost" in said or "exceeds budget" in said, said
        return False
    return True


def _greatest(too_much: int, taken: Callable[[int], bool]) -> int:
    """Return the greatest number that is taken; nothing from `too_much` on is."""
    least, most = 0, too_much
    assert taken(least), "it is refused as it is"
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if taken(middle) else (least, middle)
    return least
