"""Reading queries of the log search: text to a tree."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from oci_emulator.services.logging.syntax import (
    Both,
    Compare,
    Condition,
    Count,
    Either,
    Field,
    Limit,
    Not,
    Query,
    QueryError,
    Select,
    SortBy,
    Stage,
    Stream,
    Token,
    Value,
    Where,
    tokens,
)

Item = TypeVar("Item")


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
            found = token.text or "the end"
            raise QueryError(token.position, f"a field's name must follow, not {found!r}")
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
