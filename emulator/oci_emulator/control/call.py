"""A request for the control API, and what answers one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCall:
    """A request for the control API.

    Attributes:
        path: the values of the path's parameters.
        body: the JSON object that was sent; an empty one if nothing was.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]


Handler = Callable[[ControlCall], Any | Awaitable[Any]]
"""Answers with what becomes JSON; a ValueError is answered 400 with its text."""

Route = tuple[str, str, Handler]
"""Method, path below ``/_emulator/``, and handler."""


def only(given: Mapping[str, Any], *known: str) -> None:
    """Refuse names that mean nothing.

    Raises:
        ValueError: there is one.
    """
    if unknown := given.keys() - set(known):
        raise ValueError(f"{min(unknown)!r} is unknown here; known are {', '.join(known)}")
