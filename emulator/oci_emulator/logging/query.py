"""The search language of Logging, as far as runs' logs need it: text to a tree.

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

Field: TypeAlias = tuple[str, ...]
Value: TypeAlias = str | int | float | bool
Item = TypeVar("Item")
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


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: it is none.
    """
    return _Parser(list(tokens(text))).query()


class _Parser:
    """Recursive descent; one method a rule of the grammar."""

    def __init__(self, pieces: list[Token]) -> None:
        self._pieces = pieces
        self._next = 0
        self._depth = 0

    def query(self) -> Query:
        self._keyword("search")
        streams = [self._stream()]
        while self._at_mark(",") or self._peek.kind == "name":
            if self._at_mark(","):
                self._take()
            streams.append(self._stream())
        stages = []
        while self._at_mark("|"):
            self._take()
            stages.append(self._stage())
        if self._peek.kind != "end":
            raise self._error("'|' or the end")
        return Query(streams=tuple(streams), stages=tuple(stages))

    def _stream(self) -> Stream:
        token = self._take()
        if token.kind != "name":
            raise QueryError(
                token.position, 'a stream must follow: "<compartment>/<log group>/<log>"'
            )
        parts = token.text.split("/")
        if len(parts) > len(Stream.__slots__) or not all(parts):
            raise QueryError(
                token.position, f'{token.text!r} is not "<compartment>/<log group>/<log>"'
            )
        return Stream(**dict(zip(("compartment", "group", "log"), parts, strict=False)))

    def _stage(self) -> Stage:
        token = self._take()
        match token.text.lower() if token.kind == "word" else "":
            case "where":
                return Where(condition=self._either())
            case "sort":
                self._keyword("by")
                return SortBy(keys=tuple(self._listed(self._sort_key)))
            case "limit" | "head":
                return Limit(number=self._count_of(self._take()))
            case "select":
                return Select(fields=tuple(self._listed(self._selected)))
            case "count":
                return Count()
        raise QueryError(
            token.position,
            f"{token.text!r} is no operator that this emulator has: where, sort by, limit,"
            " select and count are",
        )

    def _count_of(self, token: Token) -> int:
        if token.kind != "number" or not token.text.isdigit():
            raise QueryError(token.position, f"a number must follow limit, not {token.text!r}")
        return int(token.text)

    def _listed(self, item: Callable[[], Item]) -> Iterator[Item]:
        yield item()
        while self._at_mark(","):
            self._take()
            yield item()

    def _sort_key(self) -> tuple[Field, bool]:
        field = self._field()
        if self._at_word("asc", "desc"):
            return field, self._take().text.lower() == "desc"
        return field, False

    def _selected(self) -> tuple[Field, str]:
        field = self._field()
        if not self._at_word("as"):
            return field, ".".join(field)
        self._take()
        return field, self._name()

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._at_word("or"):
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(parts=tuple(parts))

    def _both(self) -> Condition:
        parts = [self._negation()]
        while self._at_word("and"):
            self._take()
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Both(parts=tuple(parts))

    def _negation(self) -> Condition:
        if self._at_word("not"):
            with_not = self._take()
            return Not(part=self._nested(self._negation, with_not))
        if self._at_mark("("):
            opening = self._take()
            condition = self._nested(self._either, opening)
            if not self._at_mark(")"):
                raise self._error("')'")
            self._take()
            return condition
        return self._comparison()

    def _nested(self, rule: "Callable[[], Condition]", token: Token) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError(token.position, "the conditions are nested too deeply")
        condition = rule()
        self._depth -= 1
        return condition

    def _comparison(self) -> Condition:
        position = self._peek.position
        field = self._field()
        if self._at_word("in"):
            self._take()
            return self._membership(field, position)
        token = self._take()
        if token.kind != "mark" or token.text not in _OPERATORS:
            raise QueryError(token.position, f"one of {' '.join(_OPERATORS)} must follow the field")
        return Compare(
            field=field,
            operator=token.text,  # type: ignore[arg-type]  # checked in the line above
            value=self._value(),
            position=position,
        )

    def _membership(self, field: Field, position: int) -> Condition:
        if not self._at_mark("("):
            raise self._error("'('")
        self._take()
        values = list(self._listed(self._value))
        if not self._at_mark(")"):
            raise self._error("')'")
        self._take()
        return Either(
            parts=tuple(
                Compare(field=field, operator="=", value=value, position=position)
                for value in values
            )
        )

    def _value(self) -> Value:
        token = self._take()
        if token.kind == "string":
            return token.text
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind == "word" and token.text.lower() in {"true", "false"}:
            return token.text.lower() == "true"
        raise QueryError(token.position, "a value must follow: '…', a number, true or false")

    def _field(self) -> Field:
        names = [self._name()]
        while self._at_mark("."):
            self._take()
            names.append(self._name())
        return tuple(names)

    def _name(self) -> str:
        token = self._take()
        if token.kind not in {"word", "name"}:
            raise QueryError(token.position, f"a field's name must follow, not {token.text!r}")
        return token.text

    @property
    def _peek(self) -> Token:
        return self._pieces[self._next]

    def _take(self) -> Token:
        token = self._pieces[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _at_mark(self, mark: str) -> bool:
        return self._peek.kind == "mark" and self._peek.text == mark

    def _at_word(self, *words: str) -> bool:
        return self._peek.kind == "word" and self._peek.text.lower() in words

    def _keyword(self, word: str) -> None:
        if not self._at_word(word):
            raise self._error(f"{word!r}")
        self._take()

    def _error(self, expected: str) -> QueryError:
        found = self._peek.text or "the end"
        return QueryError(self._peek.position, f"{expected} must follow, not {found!r}")


_OPERATORS = ("=", "!=", "<=", ">=", "<", ">")
_DEEPEST = 50
