"""The query language of Resource Search: text to a query.

::

    query log, loggroup resources where displayName = 'training' && lifecycleState = 'ACTIVE'
        sorted by timeCreated desc
    query all resources where freeformTags.key = 'team' && freeformTags.value = 'a'
    query datasciencejob resources return allAdditionalFields matching 'fraud'

``=`` and ``!=`` ignore case, ``==`` and ``!==`` don't, ``=~`` asks whether the value is contained.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oci_emulator.formats.jsontypes import JsonObject

Condition = Callable[[JsonObject], bool]
"""Whether a summary of a resource fulfils something."""

_DEEPEST = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<mark>&&|\|\||!==|==|!=|=~|>=|<=|[=<>(),])"
    r"|(?P<word>[\w.:/+-]+))"
)


class QueryError(ValueError):
    """A query that can't be read; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is searched for.

    Attributes:
        types: resource types in lower case; empty for all.
        text: what some attribute must contain, in lower case.
        sort: the field to sort by, and whether the greatest comes first.
    """

    types: frozenset[str]
    condition: Condition
    text: str = ""
    sort: tuple[str, bool] = ("timeCreated", True)


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: it is none.
    """
    return _Parser(list(_tokens(text))).query()


def _tokens(text: str) -> Iterator[str]:
    position, length = 0, len(text.rstrip())
    while position < length:
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError(f"{text[position : position + 20]!r} can't be read")
        yield match[0].strip()
        position = match.end()
    yield ""


class _Parser:
    """Recursive descent; one method a rule of the grammar. The last token is the empty one."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def query(self) -> Query:
        self._expect("query")
        types = {name.lower() for name in self._names()}
        self._expect("resources")
        if self._at("return"):
            self._names()
        condition: Condition = _everything
        text, sort = "", ("timeCreated", True)
        if self._at("where"):
            condition = self._either()
        if self._at("matching"):
            text = self._value().lower()
        if self._at("sorted"):
            self._expect("by")
            field = self._take()
            descending = not self._at("asc")
            if descending:
                self._at("desc")
            sort = (field, descending)
        if self._peek:
            raise QueryError(f"the end must follow, not {self._peek!r}")
        every = "all" in types
        return Query(
            types=frozenset() if every else frozenset(types),
            condition=condition,
            text=text,
            sort=sort,
        )

    def _names(self) -> list[str]:
        names = [self._take()]
        while self._at(","):
            names.append(self._take())
        return names

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._at("||"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda found: any(part(found) for part in parts)

    def _both(self) -> Condition:
        parts = [self._single()]
        while self._at("&&"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda found: all(part(found) for part in parts)

    def _single(self) -> Condition:
        if not self._at("("):
            return self._comparison()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError("the conditions are nested too deeply")
        condition = self._either()
        self._depth -= 1
        self._expect(")")
        return condition

    def _comparison(self) -> Condition:
        field = self._take()
        operator = self._take()
        if operator not in _COMPARE:
            raise QueryError(f"one of {' '.join(_COMPARE)} must follow {field!r}")
        compare, value = _COMPARE[operator], self._value()
        negated = operator in {"!=", "!=="}
        if negated:
            return lambda found: not any(compare(each, value) for each in _values(found, field))
        return lambda found: any(compare(each, value) for each in _values(found, field))

    def _value(self) -> str:
        token = self._take()
        return token[1:-1] if token.startswith("'") else token

    @property
    def _peek(self) -> str:
        return self._tokens[self._next]

    def _take(self) -> str:
        token = self._peek
        if not token:
            raise QueryError("the query ends too early")
        self._next += 1
        return token

    def _at(self, word: str) -> bool:
        """Take the next token if it is this one."""
        here = self._peek.lower() == word
        self._next += here
        return here

    def _expect(self, word: str) -> None:
        if not self._at(word):
            raise QueryError(f"{word!r} must follow, not {self._peek or 'the end'!r}")


def _everything(found: JsonObject) -> bool:  # noqa: ARG001  # a condition like others
    return True


_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value.lower() == wanted.lower(),
    "!=": lambda value, wanted: value.lower() == wanted.lower(),
    "==": lambda value, wanted: value == wanted,
    "!==": lambda value, wanted: value == wanted,
    "=~": lambda value, wanted: wanted.lower() in value.lower(),
    ">=": lambda value, wanted: value >= wanted,
    "<=": lambda value, wanted: value <= wanted,
    ">": lambda value, wanted: value > wanted,
    "<": lambda value, wanted: value < wanted,
}
"""The negated operators compare as the others do; what they say of it is turned around."""


def _values(found: JsonObject, field: str) -> list[str]:
    """The values of a field; tags have three parts, of each of which there may be several."""
    names = {name.lower(): value for name, value in found.items()}
    first, _, rest = field.lower().partition(".")
    value: Any = names.get(first)
    if first == "freeformtags":
        return _tag_parts(value or {}, rest)
    if first == "definedtags":
        return [
            part
            for namespace, tags in (value or {}).items()
            for part in ([namespace] if rest == "namespace" else _tag_parts(tags, rest))
        ]
    return [] if value is None else [str(value)]


def _tag_parts(tags: Mapping[str, Any], part: str) -> list[str]:
    if part == "key":
        return list(tags)
    if part == "value":
        return [str(value) for value in tags.values()]
    raise QueryError("tags are asked for by .key and .value, defined ones by .namespace too")
