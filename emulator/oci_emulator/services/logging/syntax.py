"""The search language of Logging, as far as runs' logs need it: its words and its trees.

::

    search "<compartment>/<log group>/<log>" [, "<compartment>/…"]
    | where source = '*<ocid>' and (data.message = '*error*' or datetime >= '2026-01-01T00:00:00Z')
    | sort by datetime desc
    | limit 10
    | select datetime, data.message as text
    | count

Words are not case-sensitive. Names with special characters are in double quotes, strings in single
quotes, where ``*`` stands for anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Field: TypeAlias = tuple[str, ...]
Value: TypeAlias = str | int | float | bool
Operator = Literal["=", "!=", "<", "<=", ">", ">="]


class QueryError(ValueError):
    """Text that is no query; the message names the position."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(f"position {position}: {message}")
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Where to search: a compartment, a log group in it, a log in that."""

    compartment: str
    group: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A field compared with a value."""

    field: Field
    operator: Operator
    value: Value
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """All of several conditions."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """One of several conditions."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The contrary of a condition."""

    part: "Condition"


Condition: TypeAlias = Compare | Both | Either | Not


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Keep what meets the condition."""

    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class SortBy:
    """Sort by fields; the flag says descending."""

    keys: tuple[tuple[Field, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Keep the first so many."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """Keep only these fields, each under a name."""

    fields: tuple[tuple[Field, str], ...]


@dataclass(frozen=True, slots=True)
class Count:
    """Their number instead of the entries."""


Stage: TypeAlias = Where | SortBy | Limit | Select | Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Streams, and what is done with their entries, one stage after the other."""

    streams: tuple[Stream, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A piece of the text."""

    kind: Literal["word", "name", "string", "number", "mark", "end"]
    text: str
    position: int


_TOKENS = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<mark><=|>=|!=|[=<>(),|.])
    )""",
    re.VERBOSE,
)


def tokens(text: str) -> Iterator[Token]:
    """The pieces of a query; the last is of the kind ``end``.

    Raises:
        QueryError: something is no piece.
    """
    position = 0
    length = len(text.rstrip())
    while position < length:
        match = _TOKENS.match(text, position)
        if match is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise QueryError(start, f"{text[start : start + 20]!r} can't be read")
        kind = match.lastgroup or ""
        piece = match[kind]
        if kind in {"string", "name"}:
            piece = piece[1:-1].replace(piece[0] * 2, piece[0])
        yield Token(kind=kind, text=piece, position=match.start(kind))  # type: ignore[arg-type]
        position = match.end()
    yield Token(kind="end", text="", position=length)
