"""Blocks of requests and the spec of a manifest: what is a copy of a field is copied, by what is declared of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING
from functools import cache
from typing import TypeVar, get_args

from ocijobs.api.shared.model import Model
from ocijobs.backends.documents import plain
from ocijobs.backends.oci_fields import Attribute, Placed, attributes, names_of, same

T = TypeVar("T")


def shared(model: type[Model], *sources: Model) -> dict[str, object]:
    """Return the fields of a model that other models have too, by their attributes: of the first that has each."""
    return {
        name: getattr(source, name)
        for source in reversed(sources)
        for name in model.model_fields
        if name in type(source).model_fields
    }


def asked_for(
    block: Callable[..., T], *models: object, below: tuple[str, ...] = ("",), **others: object
) -> T:
    """Return the block that a manifest asks for.

    Args:
        block: the class.
        models: parts of the manifest, the first that says a field counts; None has nothing to say.
        below: places in the spec whose fields the parts have; fields elsewhere are left as they are by default.
        others: attributes that are more than a copy of a field.
    """
    copied: dict[str, object] = {}
    for attribute in attributes(block):
        if attribute.name not in others:
            value = _first(attribute, models, below)
            if value is not None or attribute.default is MISSING:
                copied[attribute.name] = value
    return block(**copied, **others)


def _first(attribute: Attribute, models: tuple[object, ...], below: tuple[str, ...]) -> object:
    path = attribute.spec or ""
    names = (path.removeprefix(place) for place in below if path.startswith(place))
    found = (value_at(model, name) for name in names for model in models)
    return next((value for value in found if value not in (None, (), {})), None)


def value_at(model: object, path: str) -> object:
    """Return the value at a path of a model, None where there is none."""
    for name in path.split("."):
        names = _names(type(model)) if isinstance(model, Model) else {}
        if name not in names:
            return None
        model = getattr(model, names[name])
    return model


_names = cache(names_of)


@cache
def parts_of(model: type[Model]) -> Mapping[str, type[Model] | None]:
    """Return a model's fields by their names, with the model of their values, or of the items of their values."""
    return {
        name: _model_in(model.model_fields[attribute].annotation)
        for name, attribute in names_of(model).items()
    }


def _model_in(hint: object) -> type[Model] | None:
    if isinstance(hint, type) and issubclass(hint, Model):
        return hint
    return next((found for each in get_args(hint) if (found := _model_in(each))), None)


def given_fields(block: object, *, placed: Placed = same) -> Iterator[tuple[str, object]]:
    """Yield path and value, as a manifest has them, of all that a block says; without the blocks in it."""
    for attribute in attributes(type(block)):
        value = getattr(block, attribute.name)
        if attribute.spec is not None and value not in (None, "", (), {}):
            yield placed(attribute.spec), plain(value)
