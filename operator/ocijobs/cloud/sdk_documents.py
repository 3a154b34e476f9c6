"""JSON of OCI's APIs as the SDK's models, and back: by the names and types that the models tell of themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def model_of(models: Any, name: str, document: Mapping[str, Any]) -> Any:
    """Return an object as the SDK's model of it; what is None is left out.

    Args:
        models: the service's module of models.
        name: the model, or the one that several are derived from: what the object says of its type tells which.
        document: the object.

    Raises:
        AttributeError: if the model has no field of a name. This SDK is then older than a field that is declared.
    """
    kind = getattr(models, name)
    if hasattr(kind, "get_subtype"):
        kind = getattr(models, kind.get_subtype(document))
    blank = kind()
    known = {wire: attribute for attribute, wire in blank.attribute_map.items()}
    given = {wire: value for wire, value in document.items() if value is not None}
    if unknown := given.keys() - known.keys():
        raise AttributeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return kind(
        **{
            known[wire]: _value(models, blank.swagger_types[known[wire]], value)
            for wire, value in given.items()
        }
    )


def _value(models: Any, declared: str, value: Any) -> Any:
    """Return a value as a field of that type has it, in the SDK's words: `list[Mount]`, `dict(str, str)`, `Mount`."""
    if items := re.fullmatch(r"list\[(.*)\]", declared):
        return [_value(models, items.group(1), item) for item in value]
    if isinstance(value, Mapping) and not declared.startswith(("dict(", "object")):
        return model_of(models, declared, value)
    return value


def document_of(value: Any) -> Any:
    """Return a model, or what a field of one has, as JSON without what is None. Times stay as they are."""
    if isinstance(value, list):
        return [document_of(item) for item in value]
    if isinstance(value, dict):
        return {key: document_of(item) for key, item in value.items()}
    if not hasattr(value, "attribute_map"):
        return value
    found = {wire: getattr(value, attribute) for attribute, wire in value.attribute_map.items()}
    return {wire: document_of(item) for wire, item in found.items() if item is not None}
