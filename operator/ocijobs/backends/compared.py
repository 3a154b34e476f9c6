"""Blocks of requests as fields of the manifest with their values, for comparing: by what is declared of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass

from ocijobs.api.shared.model import Model
from ocijobs.backends.documents import plain
from ocijobs.backends.oci_fields import Attribute, Placed, attributes, names_of, same

Said = tuple[str, object]
"""Path of a field and its value; None if nothing is said of it."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A value that is not shown where OCI has another one: that may be a secret of whoever made the job."""

    value: object


def fields_said(block: object, *, placed: Placed = same) -> Iterator[Said]:
    """Yield what a block says of the fields of a manifest, without the blocks in it."""
    for attribute in attributes(type(block)):
        value = getattr(block, attribute.name)
        if attribute.spec is None:
            continue
        for path, each in _said(attribute, placed(attribute.spec), value):
            yield path, Hidden(each) if attribute.field.secret else each


def _said(attribute: Attribute, path: str, value: object) -> Iterator[Said]:
    members = attribute.field.by_member
    if isinstance(value, Mapping):
        yield from entries(path, value)
    elif isinstance(value, Model) and members is not None:
        document = {**members, **value.document()}
        yield from ((f"{path}.{name}", document.get(name)) for name in names_of(type(value)))
    elif is_dataclass(value):
        yield path, tuple(getattr(value, each.name) for each in fields(value))
    elif value is None and attribute.field.absence_counts:
        yield path, ""
    else:
        yield path, value if isinstance(value, tuple) else plain(value)


def entries(path: str, values: Mapping[str, object]) -> Iterator[Said]:
    """Yield the entries of a map, each as a field of its own."""
    yield from ((f"{path}[{key}]", value) for key, value in values.items())
