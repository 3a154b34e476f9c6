"""Blocks of requests as OCI's JSON, and back: by what is declared of their attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TypeVar

from pydantic import ValidationError

from ocijobs.api.shared.model import Model
from ocijobs.backends.oci_fields import Attribute, Placed, attributes, camel, names_of, same

T = TypeVar("T")

Document = dict[str, object]
"""A JSON object."""


def at(document: object, path: str) -> object:
    """Return what is at a path of a document, None if nothing is. An empty path is that of the document itself."""
    for name in path.split(".") if path else ():
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def put(document: Document, path: str, value: object) -> None:
    """Put a value at a path of a document. At an empty path, what a map holds is added to the document."""
    if not path:
        document.update(value if isinstance(value, Mapping) else {})
        return
    name, _, rest = path.partition(".")
    if not rest:
        document[name] = value
        return
    inner = document.setdefault(name, {})
    if isinstance(inner, dict):
        put(inner, rest, value)


def plain(value: object) -> object:
    """Return a value as documents have it: JSON, with the names that manifests have."""
    if isinstance(value, Model):
        return value.document()
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(each.name): plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, Enum):
        return value.value
    return [plain(each) for each in value] if isinstance(value, tuple) else value


def encoded(block: object, *, placed: Placed = same) -> Document:
    """Return a block as OCI's JSON has it, without the blocks in it.

    What is None or the attribute's default is left out. An empty map or list is sent otherwise: it takes away what OCI
    has.
    """
    document: Document = {}
    for attribute in attributes(type(block)):
        value = getattr(block, attribute.name)
        if value is not None and value != attribute.default:
            put(document, placed(attribute.oci), _sent(attribute, value))
    return document


def _sent(attribute: Attribute, value: object) -> object:
    if not isinstance(value, Model):
        return plain(value)
    document: Document = dict([attribute.field.kind] if attribute.field.kind else [])
    for name, member in value.document().items():
        put(document, attribute.member(name), member)
    return document


def decoded(
    block: Callable[..., T], document: object, *, placed: Placed = same, **others: object
) -> T:
    """Return the block that OCI's JSON has.

    Args:
        block: the class.
        document: the JSON object; None reads as an empty one.
        placed: where its fields are.
        others: attributes that are read by other means, such as the blocks in it.

    Raises:
        ValueError: if a value is none that this operator knows; the message says which.
    """
    read = {
        attribute.name: _read(attribute, at(document, placed(attribute.oci)))
        for attribute in attributes(block)
        if attribute.name not in others
    }
    return block(**read, **others)


def _read(attribute: Attribute, raw: object) -> object:
    if raw is None or raw == "":
        return _absent(attribute)
    if isinstance(raw, Mapping):
        return _read_object(attribute, raw)
    if issubclass(attribute.holds, Enum):
        return attribute.holds(raw)
    return tuple(raw) if isinstance(raw, list) else raw


def _absent(attribute: Attribute) -> object:
    """Return what OCI means by leaving a field out, or by an empty text."""
    if issubclass(attribute.holds, Mapping):
        return {}
    if issubclass(attribute.holds, tuple):
        return ()
    if attribute.optional:
        return None
    return "" if attribute.holds is str else attribute.default


def _read_object(attribute: Attribute, raw: Mapping[str, object]) -> object:
    holds = attribute.holds
    if is_dataclass(holds):
        return holds(**{each.name: raw.get(camel(each.name)) for each in fields(holds)})
    if not issubclass(holds, Model):
        return dict(raw)
    members = {name: at(raw, attribute.member(name)) for name in names_of(holds)}
    try:
        return holds.model_validate({k: v for k, v in members.items() if v is not None})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (attribute.oci, *first["loc"]) if part != "")
        raise ValueError(f"{place}: {first['msg']}") from error
