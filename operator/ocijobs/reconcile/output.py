"""What a run printed: result lines, and the last lines for people.

A result line is a line of output that is one JSON object with the key `ocijobs.io/results`. The last valid line of
a name wins. Values are kept as printed: 0.930 stays 0.930.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ocijobs.api.run.observed import LogFile
from ocijobs.api.shared.names import RESULTS_KEY
from ocijobs.reconcile.text import shown

RESULTS_LIMIT_BYTES = 4096
TAIL_LINES = 20
TAIL_LIMIT_BYTES = 4096
LINE_LIMIT_BYTES = 512
"""Of a line in the tail: one that is huge leaves room for others."""

_SPACE = " \t\r\n\v\f"
_DEEPEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """What a log has of a run, oldest first: the last lines, and lines that may be result lines."""

    tail: Sequence[str]
    results: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutput:
    """The last lines of a run, and the logs there are of it."""

    lines: LogLines
    files: tuple[LogFile, ...]


class _Printed(str):
    """A number, as it was printed."""

    __slots__ = ()


def results_of_line(line: str) -> dict[str, str] | None:
    """Return the results that a line of output reports, or None if it is no valid result line."""
    text = line.strip(_SPACE)
    if not text.startswith("{") or RESULTS_KEY not in text:
        return None
    try:
        if len(text.encode()) > RESULTS_LIMIT_BYTES:
            return None
        document = read_as_printed(text)
    except ValueError:
        return None
    return results_of(document.get(RESULTS_KEY)) if isinstance(document, dict) else None


def read_as_printed(text: str | bytes) -> object:
    """Return the JSON document that a text is, with numbers as they were printed.

    Raises:
        ValueError: if it is none, or is nested so deep that only malice explains it.
    """
    try:
        return json.loads(text, parse_float=_Printed, parse_int=_Printed)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def results_of(document: object) -> dict[str, str] | None:
    """Return results as text by name, or None if the document is no object of values that are Unicode."""
    if not isinstance(document, dict):
        return None
    try:
        results = {name: _text(value) for name, value in document.items() if value is not None}
        "".join((*results, *results.values())).encode()
    except ValueError:
        return None
    return results


def _text(value: object) -> str:
    return str(value) if isinstance(value, str) else _nested(value, 1)


def _nested(value: object, depth: int) -> str:
    """Return a value as compact JSON.

    Raises:
        ValueError: if it is nested deeper than anybody reads.
    """
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, _Printed):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join([_nested(item, depth + 1) for item in value]) + "]"
    if isinstance(value, dict):
        members = [
            f"{_nested(name, depth)}:{_nested(item, depth + 1)}" for name, item in value.items()
        ]
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)


def last_results(lines: Iterable[str]) -> dict[str, str]:
    """Return the results that lines, oldest first, report: a later line replaces names of an earlier one."""
    found: dict[str, str] = {}
    for line in lines:
        found |= results_of_line(line) or {}
    return found


def within_limit(results: Mapping[str, str]) -> bool:
    """Whether the results are small enough for a status."""
    return sum(len(n.encode()) + len(v.encode()) for n, v in results.items()) <= RESULTS_LIMIT_BYTES


def tail(lines: Sequence[str], secrets: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines for a status: legible, masked, each bounded, and then all together."""
    kept: list[str] = []
    room = TAIL_LIMIT_BYTES
    for line in reversed(lines[-TAIL_LINES:]):
        text = shown(line, secrets, most_bytes=LINE_LIMIT_BYTES)
        room -= len(text.encode())
        if room < 0:
            break
        kept.append(text)
    return tuple(reversed(kept))
