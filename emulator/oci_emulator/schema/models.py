"""Strict checks of JSON against the services' models.

Each check names the path of the field and the rule that it breaks: a client that sends something
else than its model is told so, where the real service might take it, ignore it or fail later.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from oci_emulator.formats.jsontypes import JsonObject

Check = Callable[[Any, str], Any]
"""Takes a value and its path, gives the value back without nulls, or raises Mismatch."""

_LEAST, _GREATEST = -(1 << 63), (1 << 63) - 1
_LIST = re.compile(r"list\[(.+)\]")
_DICT = re.compile(r"dict\(str, (.+)\)")
_JSON_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class Mismatch(Exception):  # noqa: N818  # a finding; ServiceError is what it becomes
    """A value that doesn't fit its model.

    Attributes:
        path: the field, such as ``jobConfigurationDetails.environmentVariables.A``.
        missing: the field is required and isn't there.
    """

    def __init__(self, path: str, rule: str, *, missing: bool = False) -> None:
        super().__init__(f"{path}: {rule}" if path else f"the body {rule}")
        self.path = path
        self.missing = missing


class Models:
    """The models of one service.

    Args:
        described: model name -> fields, and discriminator and subtypes where it has some.
    """

    def __init__(self, described: Mapping[str, JsonObject]) -> None:
        self._described = described
        self._checks: dict[tuple[str, bool], Check] = {}

    def check(self, model: str, value: Any, *, refuse_unknown: bool = True) -> JsonObject:
        """The value without nulls, if it fits the model.

        Raises:
            Mismatch: it doesn't.
        """
        checked: JsonObject = self._check(model, refuse_unknown)(value, "")
        return checked

    def has(self, model: str) -> bool:
        """Whether the model is described."""
        return model in self._described

    def described(self, model: str) -> JsonObject:
        """The fields of a model, and the discriminator and subtypes of one that has some."""
        return self._described[model]

    def names(self) -> frozenset[str]:
        """The names of all models."""
        return frozenset(self._described)

    def show(self, model: str, document: JsonObject) -> JsonObject:
        """The part of a document that the model has; a summary of a resource, for example."""
        fields = self._described[model]["fields"]
        return {name: document[name] for name in fields if name in document}

    def _check(self, kind: str, refuse_unknown: bool) -> Check:  # noqa: FBT001
        key = (kind, refuse_unknown)
        if key not in self._checks:
            # Models may contain themselves: the entry is there before it is complete.
            self._checks[key] = self._later(key)
            self._checks[key] = self._compile(kind, refuse_unknown)
        return self._checks[key]

    def _later(self, key: tuple[str, bool]) -> Check:
        def check(value: Any, path: str) -> Any:
            return self._checks[key](value, path)

        return check

    def _compile(self, kind: str, refuse_unknown: bool) -> Check:  # noqa: FBT001
        if kind in _PRIMITIVES:
            return _PRIMITIVES[kind]
        if match := _LIST.fullmatch(kind):
            return _list_of(self._check(match[1], refuse_unknown))
        if match := _DICT.fullmatch(kind):
            return _dict_of(self._check(match[1], refuse_unknown))
        described = self._described[kind]
        if "discriminator" in described:
            subtypes = {
                value: self._check(subtype, refuse_unknown)
                for value, subtype in described["subtypes"].items()
            }
            return _one_of(described["discriminator"], subtypes)
        fields = {
            name: (
                self._check(field["type"], refuse_unknown),
                field.get("required", False),
                frozenset(field.get("enum", ())),
            )
            for name, field in described["fields"].items()
        }
        return _fields_of(fields, refuse_unknown=refuse_unknown)


def _name(value: Any) -> str:
    return _JSON_NAMES.get(type(value), type(value).__name__)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise Mismatch(path, f"must be a string, not {_name(value)}")
    return value


def _integer(value: Any, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Mismatch(path, f"must be an integer, not {_name(value)}")
    if not _LEAST <= value <= _GREATEST:
        raise Mismatch(path, "must be an integer of 64 bits")
    return value


def _number(value: Any, path: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Mismatch(path, f"must be a number, not {_name(value)}")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        # A whole number that no float can hold.
        finite = False
    if not finite:
        raise Mismatch(path, "must be a number of 64 bits")
    return value


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise Mismatch(path, f"must be true or false, not {_name(value)}")
    return value


def _moment(value: Any, path: str) -> str:
    text = _text(value, path)
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise Mismatch(path, f"must be an RFC 3339 time with its zone, not {text!r}")
    return text


def _anything(value: Any, path: str) -> Any:  # noqa: ARG001  # a check like the others
    return value


_PRIMITIVES: Mapping[str, Check] = {
    "str": _text,
    "int": _integer,
    "float": _number,
    "bool": _boolean,
    "datetime": _moment,
    "object": _anything,
    # Bytes, in a field of JSON.
    "stream": _text,
}


def _list_of(item: Check) -> Check:
    def check(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise Mismatch(path, f"must be a list, not {_name(value)}")
        return [item(element, f"{path}[{index}]") for index, element in enumerate(value)]

    return check


def _dict_of(item: Check) -> Check:
    def check(value: Any, path: str) -> JsonObject:
        if not isinstance(value, dict):
            raise Mismatch(path, f"must be an object, not {_name(value)}")
        return {key: item(element, f"{path}.{key}") for key, element in value.items()}

    return check


def _one_of(discriminator: str, subtypes: Mapping[str, Check]) -> Check:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(path, f"must be an object, not {_name(value)}")
        where = f"{path}.{discriminator}" if path else discriminator
        chosen = value.get(discriminator)
        if chosen is None:
            raise Mismatch(where, "is required: it decides which fields there are", missing=True)
        if not isinstance(chosen, str) or chosen not in subtypes:
            raise Mismatch(where, f"must be one of {', '.join(sorted(subtypes))}, not {chosen!r}")
        return subtypes[chosen](value, path)

    return check


def _fields_of(
    fields: Mapping[str, tuple[Check, bool, frozenset[str]]], *, refuse_unknown: bool
) -> Check:
    required = [name for name, (_, needed, _) in fields.items() if needed]

    def check(value: Any, path: str) -> JsonObject:
        if not isinstance(value, dict):
            raise Mismatch(path, f"must be an object, not {_name(value)}")
        prefix = f"{path}." if path else ""
        checked = {}
        for name, element in value.items():
            if name not in fields:
                if refuse_unknown:
                    raise Mismatch(f"{prefix}{name}", "is not a field of this model")
                continue
            if element is not None:
                checked[name] = _value(fields[name], element, f"{prefix}{name}")
        for name in required:
            if name not in checked:
                raise Mismatch(f"{prefix}{name}", "is required", missing=True)
        return checked

    return check


def _value(field: tuple[Check, bool, frozenset[str]], element: Any, path: str) -> Any:
    check, _, allowed = field
    checked = check(element, path)
    if allowed:
        for entry in checked if isinstance(checked, list) else [checked]:
            if entry not in allowed:
                raise Mismatch(path, f"must be one of {', '.join(sorted(allowed))}, not {entry!r}")
    return checked
