"""Structural OpenAPI schemas from the models.

pydantic renders JSON Schema; this turns it into the subset that CustomResourceDefinitions take (inlined,
an optional field is an absent one, no unions) and refuses, by name, what that subset or our own rules can't
take: a field without a description, a string, list or map without a bound, a list without a list type.

Defaults within lists are left to readers: the API server would write them into what people applied, and tools that
compare lists as a whole (`kubectl apply`, Argo CD) would find another one each time.

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocijobs.api.shared.model import Model

Schema = dict[str, object]

_KEPT = (
    "type",
    "format",
    "description",
    "enum",
    "default",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
)
_DROPPED = frozenset({"title", "propertyNames", "$defs"})
_STRUCTURE = frozenset({"properties", "items", "additionalProperties", "exclusiveMinimum", "const"})
_INT64_MAX = 2**53
"""Integers that JSON readers carry exactly."""


class UnexpressibleError(TypeError):
    """A model says something that a CustomResourceDefinition can't, or that our rules forbid."""


def model_schema(model: type[Model]) -> Schema:
    """Return the structural schema of `model`.

    Raises:
        UnexpressibleError: naming the field and what is wrong with it.
    """
    document = model.model_json_schema(by_alias=True, mode="validation")
    return _Converter(document.get("$defs", {})).convert(document, model.__name__, described=True)


class _Converter:
    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions
        self._lists = 0

    def convert(self, node: Schema, path: str, *, described: bool) -> Schema:
        """Return `node` as a structural schema. `described` asks for a description of its own."""
        node = self._resolve(node, path)
        kind = node.get("type")
        unknown = node.keys() - _DROPPED - _STRUCTURE - set(_KEPT)
        if unknown or kind is None:
            raise UnexpressibleError(
                f"{path}: can't express {sorted(unknown) or 'a schema without type'}"
            )
        if described and not node.get("description"):
            raise UnexpressibleError(f"{path}: has no description")
        schema = _kept(node)
        if self._lists:
            schema.pop("default", None)
        return schema | self._shape(str(kind), node, path)

    def _shape(self, kind: str, node: Schema, path: str) -> Schema:
        """Return what only schemas of this type have."""
        match kind:
            case "object":
                return self._object(node, path)
            case "array":
                return self._array(node, path)
            case "string":
                if not (node.get("format") == "date-time" or "enum" in node or "const" in node):
                    _require(node, "maxLength", path)
                return {}
            case "integer":
                return {"format": "int64", "maximum": node.get("maximum", _INT64_MAX)}
            case "number" | "boolean":
                return {}
            case _:
                raise UnexpressibleError(f"{path}: can't express type {kind}")

    def _resolve(self, node: Schema, path: str) -> Schema:
        """Inline references, and read `X | None` as an optional X."""
        while "$ref" in node or "anyOf" in node or "allOf" in node:
            outer = {k: v for k, v in node.items() if k not in {"$ref", "anyOf", "allOf"}}
            if "$ref" in node:
                inner = self._definitions[str(node["$ref"]).rsplit("/", 1)[-1]]
            else:
                inner = _only(node.get("anyOf") or node["allOf"], path)
            node = inner | outer
        return node

    def _object(self, node: Schema, path: str) -> Schema:
        properties = node.get("properties")
        if isinstance(properties, dict):
            return {
                "properties": {
                    name: self.convert(child, f"{path}.{name}", described=True)
                    for name, child in properties.items()
                }
            }
        values = node.get("additionalProperties")
        if not isinstance(values, dict):
            raise UnexpressibleError(f"{path}: a map must say what its values are")
        _require(node, "maxProperties", path)
        return {"additionalProperties": self.convert(values, f"{path}.*", described=False)}

    def _array(self, node: Schema, path: str) -> Schema:
        _require(node, "maxItems", path)
        _require(node, "x-kubernetes-list-type", path)
        given = node.get("items")
        self._lists += 1
        # What says nothing of its items is refused for having no type.
        items = self.convert(given if isinstance(given, dict) else {}, f"{path}[]", described=False)
        self._lists -= 1
        return {"items": items}


def _prose(text: str) -> str:
    """Return a description as `kubectl explain` shows it: a line a paragraph; indented examples stay as they are."""
    blocks = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        block if block.startswith("  ") else " ".join(block.split()) for block in blocks
    )


def _require(node: Schema, key: str, path: str) -> None:
    if key not in node:
        raise UnexpressibleError(f"{path}: has no {key}")


def _only(options: object, path: str) -> Schema:
    """Return the one option that is not null."""
    alternatives: list[Schema] = options if isinstance(options, list) else []
    given = [option for option in alternatives if option != {"type": "null"}]
    if len(given) != 1:
        raise UnexpressibleError(f"{path}: a union of {len(given)} types")
    return given[0]


def _kept(node: Schema) -> Schema:
    """Return what is said of a value beside its shape, as OpenAPI 3.0 says it."""
    schema = {key: node[key] for key in _KEPT if key in node and node[key] not in (None, [])}
    if isinstance(description := schema.get("description"), str):
        schema["description"] = _prose(description)
    if "const" in node:
        schema["enum"] = [node["const"]]
    if "exclusiveMinimum" in node:
        schema |= {"minimum": node["exclusiveMinimum"], "exclusiveMinimum": True}
    return schema
