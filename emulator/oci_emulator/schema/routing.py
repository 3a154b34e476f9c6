"""Finding the operation of a path.

A path is split at its slashes first and unquoted after: an object named ``a/b`` may arrive as
``a%2Fb``, which is one segment.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

Target = TypeVar("Target")

_REST = frozenset({"objectName"})
"""Parameters that take all that is left of a path: object names may hold unquoted slashes."""
_OBJECT = re.compile(r"/n/[^/]+/b/[^/]+/[ou]/.")


@dataclass(slots=True)
class _Node(Generic[Target]):
    literal: "dict[str, _Node[Target]]" = field(default_factory=dict)
    parameter: "tuple[str, _Node[Target]] | None" = None
    targets: dict[str, Target] = field(default_factory=dict)


class UnreadablePath(Exception):  # noqa: N818  # the pipeline makes an error of it
    """A path with escapes that are no UTF-8, or that a name can't hold."""


class Router(Generic[Target]):
    """A tree of path segments."""

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()

    def add(self, method: str, template: str, target: Target) -> None:
        """Route a template such as ``/n/{namespaceName}/b/{bucketName}``.

        Raises:
            ValueError: another target has this method and shape of path.
        """
        node = self._root
        for segment in _split(template):
            if segment.startswith("{"):
                name = segment.strip("{}")
                if node.parameter is None:
                    node.parameter = (name, _Node())
                node = node.parameter[1]
            else:
                node = node.literal.setdefault(segment, _Node())
        if method in node.targets:
            raise ValueError(f"{method} {template} has a target already")
        node.targets[method] = target

    def find(self, method: str, raw_path: str) -> tuple[Target, list[str]] | None:
        """The target of a request and the values of its template's parameters, in their order.

        Raises:
            UnreadablePath: the path's escapes make no text.
        """
        segments = _split(raw_path)
        values: list[str] = []
        node = self._root
        for index, segment in enumerate(segments):
            step = node.literal.get(segment)
            if step is not None:
                node = step
                continue
            if node.parameter is None or not segment:
                return None
            name, node = node.parameter
            if name in _REST:
                values.append(_text("/".join(segments[index:])))
                break
            values.append(_text(segment))
        target = node.targets.get(method)
        return None if target is None else (target, values)


def _split(path: str) -> list[str]:
    """The segments of a path; a slash at its end is none, unless a name that may hold some ends."""
    segments = path.removeprefix("/").split("/")
    if segments[-1] == "" and not _OBJECT.match(path):
        segments.pop()
    return segments


def _text(quoted: str) -> str:
    try:
        text = unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError as error:
        raise UnreadablePath(f"{quoted!r} is no UTF-8") from error
    if "\0" in text:
        raise UnreadablePath(f"{quoted!r} holds a null character")
    return text


def parameters(template: str) -> Iterable[str]:
    """The names of a template's parameters, in their order."""
    return [part.strip("{}") for part in _split(template) if part.startswith("{")]
