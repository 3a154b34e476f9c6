"""Parameters, and the placeholders ``${name}`` in arguments that they fill."""

import re
from collections.abc import Mapping, Sequence

from oci_emulator.calls.errors import invalid

_NAME = re.compile(r"[A-Za-z0-9_]+")
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def values_of(parameters: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Name -> value.

    Raises:
        ServiceError: 400, a name can't be one, or stands there twice.
    """
    values: dict[str, str] = {}
    for index, parameter in enumerate(parameters):
        name = parameter["name"]
        if not _NAME.fullmatch(name):
            raise invalid(
                f"parameters[{index}].name: has one or more of a-z, A-Z, 0-9 and _, not"
                f" {name[:100]!r}"
            )
        if name in values:
            raise invalid(f"parameters[{index}].name: {name} is given twice")
        values[name] = parameter["value"]
    return values


def fill(arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The arguments with the values of their placeholders; a value is no placeholder again.

    Raises:
        ServiceError: 400, a placeholder has no value.
    """
    return [_filled(argument, index, values) for index, argument in enumerate(arguments)]


def _filled(argument: str, index: int, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise invalid(f"arguments[{index}]: no parameter is named {match[1][:100]!r}")
        return values[match[1]]

    return _PLACEHOLDER.sub(value, argument)
