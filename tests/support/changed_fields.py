"""Every field of a model, with two valid values: for tests that change each of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ocijobs.api.job.machines.storage_mount import ObjectStorageMount, StorageMount
from ocijobs.api.job.runtimes.conda import CondaEnvironment
from ocijobs.api.shared.environment import EnvVar
from ocijobs.api.shared.model import Model
from ocijobs.backends.manifest_fields import parts_of
from ocijobs.backends.oci_fields import names_of

Spec = dict[str, Any]

ITEM = "[]"
"""Ends a name that has a list of objects: the path goes on in its first one."""

_WORDS = (
    *("alpha", "beta"),
    *(60, 70, 2, 3),
    *(2.0, 3.0),
    *(True, False),
    *(f"ocid1.something.oc1.iad.{each}" for each in "ab"),
    *(f"oci://{each}@namespace/folder" for each in "ab"),
    *(f"oci://{each}@namespace" for each in "ab"),
    *("3.5.0", "3.2.1"),
    *(f"/mnt/{each}" for each in "ab"),
    *(f"sha256:{each * 64}" for each in "ab"),
    *(each * 64 for each in "ab"),
    *(f"iad.ocir.io/namespace/{each}:1" for each in "ab"),
    *(f"https://example.com/{each}.zip" for each in "ab"),
    *("us-ashburn-1", "us-phoenix-1"),
    *(["alpha"], ["beta"]),
    *(["ocid1.something.oc1.iad.a"], ["ocid1.something.oc1.iad.b"]),
    *({"key": "alpha"}, {"key": "beta"}),
    *({"space": {"key": "alpha"}}, {"space": {"key": "beta"}}),
)
"""What may be a value of some field; where none of them is, this needs another pair."""

_EITHER = (
    *({"objectStorage", "fileStorage", "src"}, {"value", "valueFrom"}),
    *({"secretKeyRef", "configMapKeyRef", "vaultSecretRef"}, {"poolId", "poolName"}),
    *({"logGroupId", "logGroupName"}, {"logId", "logName"}, {"branch", "tag", "commit"}),
    *({"inline", "configMap", "objectStorage", "http", "gitRepository", "flux"},),
    *({"source", "git"}, {"entrypoint", "command"}),
)
"""Fields of one object of which it has one at most."""


def leaves(model: type[Model], prefix: str = "") -> Iterator[str]:
    """Yield the paths of all fields that hold no object."""
    for name, inner in parts_of(model).items():
        if inner is None:
            yield from [f"{prefix}{name}"] if _may_vary(_info(model, name)) else []
        else:
            item = ITEM if _is_list(_info(model, name)) else ""
            yield from leaves(inner, f"{prefix}{name}{item}.")


def _may_vary(info: FieldInfo) -> bool:
    return len(_members(info.annotation)) != 1


def _info(model: type[Model], name: str) -> FieldInfo:
    return model.model_fields[names_of(model)[name]]


def _is_list(info: FieldInfo) -> bool:
    return "tuple" in str(info.annotation)


@cache
def values(model: type[Model], name: str) -> tuple[Any, Any]:
    """Return two valid values of a field, the second of which is none that it has by default."""
    info = _info(model, name)
    hint: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    found = [each for each in (*_members(info.annotation), *_WORDS) if _is_valid(adapter, each)]
    default = json.loads(json.dumps(info.get_default(call_default_factory=True), default=str))
    assert len(found) > 1, f"{model.__name__}.{name}: no two values are known: add a pair"
    return (found[0], found[1]) if found[1] != default else (found[1], found[0])


def _members(annotation: Any) -> list[str]:
    kinds = [annotation, *get_args(annotation)]
    return [m.value for k in kinds if isinstance(k, type) and issubclass(k, Enum) for m in k]


def _is_valid(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return False
    return True


def with_value(spec: Spec, model: type[Model], path: str, which: int) -> Spec:
    """Return a spec that has one of the two values of a field, and what its objects need beside it."""
    changed = copy.deepcopy(spec)
    node, kind = changed, model
    *parents, last = path.split(".")
    for step in parents:
        name = step.removesuffix(ITEM)
        _make_way(node, name)
        inner = parts_of(kind)[name]
        assert inner is not None
        kind = inner
        if step.endswith(ITEM):
            items = node.setdefault(name, [needed(kind)])
            node = items[0]
        else:
            node = node.setdefault(name, needed(kind))
    _make_way(node, last)
    node[last] = values(kind, last)[which]
    _complete(changed, model, last)
    return changed


def _complete(node: Spec, model: type[Model], changed: str) -> None:
    """Give an object, and those in it, what goes with what it has."""
    for name, inner in parts_of(model).items():
        found = node.get(name) if inner is not None else None
        for each in found if isinstance(found, list) else [found] if found is not None else ():
            if inner is not None:
                _complete(each, inner, changed)
    if model is EnvVar and "valueFrom" not in node:
        node.setdefault("value", "alpha")
    if model is StorageMount and not node.keys() & {"src", "fileStorage"}:
        node.setdefault("objectStorage", needed(ObjectStorageMount))
    if model is CondaEnvironment:
        _complete_conda(node, changed)


def _complete_conda(node: Spec, changed: str) -> None:
    if changed in {"slug", "uri", "region"}:
        node["type"] = "service" if changed == "slug" else "published"
    for name in ("uri", "region") if node["type"] == "service" else ("slug",):
        node.pop(name, None)
    wanted = "slug" if node["type"] == "service" else "uri"
    node.setdefault(wanted, values(CondaEnvironment, wanted)[0])


def needed(model: type[Model]) -> Spec:
    """Return the least that an object has."""
    return {
        name: needed(inner) if inner is not None else values(model, name)[0]
        for name, inner in parts_of(model).items()
        if _info(model, name).is_required()
    }


def _make_way(node: Spec, name: str) -> None:
    for group in _EITHER:
        if name in group:
            for other in group - {name}:
                node.pop(other, None)


def value_of(document: Any, path: str) -> Any:
    """Return the value of a field in a spec, None where it has none."""
    for step in path.split("."):
        found = document.get(step.removesuffix(ITEM)) if isinstance(document, dict) else None
        document = found[0] if step.endswith(ITEM) and found else found
    return document
