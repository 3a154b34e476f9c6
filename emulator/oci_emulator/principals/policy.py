"""The language of policies, as far as the services here need it.

::

    Allow group data-scientists to manage data-science-jobs in compartment id ocid1.compartment…
    Allow dynamic-group job-runs to manage objects in tenancy where target.bucket.name = 'data'
    Deny any-user to inspect data-science-job-runs in tenancy
        where all {request.user.id = 'ocid1.user…', request.operation != 'GetJobRun'}

A verb allows itself and those below it; denied, it denies itself and those above it.
"""

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from oci_emulator.principals.families import members_of

VERBS = ("inspect", "read", "use", "manage")

Condition = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<pattern>/[^/]*/)|(?P<mark>!=|[={},])|(?P<word>[^\s={},'!]+))"
)


class PolicyError(ValueError):
    """A statement that can't be read; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a statement is about."""

    kind: Literal["any-user", "group", "dynamic-group", "service"]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement.

    Attributes:
        families: the single resource types that it covers.
        compartment: an OCID or a name; empty for the whole tenancy.
    """

    text: str
    denies: bool
    subject: Subject
    verb: str
    families: frozenset[str]
    compartment: str
    condition: Condition

    def covers(self, verb: str) -> bool:
        """Whether the statement decides on a request that needs the verb."""
        own, needed = VERBS.index(self.verb), VERBS.index(verb)
        return own <= needed if self.denies else own >= needed


def parse(text: str) -> Statement:
    """Read a statement.

    Raises:
        PolicyError: it is no statement.
    """
    return _Reader(text).statement()


def parse_rule(text: str) -> Condition:
    """Read the matching rule of a dynamic group, such as ``all {resource.type = '…'}``.

    Raises:
        PolicyError: it is no rule.
    """
    reader = _Reader(text)
    condition = reader.condition()
    reader.end()
    return condition


class _Reader:
    """Recursive descent over the words of a statement."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0

    def statement(self) -> Statement:
        denies = self._one_of("allow", "deny") == "deny"
        subject = self._subject()
        self._one_of("to")
        verb = self._one_of(*VERBS)
        family = self._word("a resource type").lower()
        families = members_of(family)
        if not families:
            raise self._error(f"there is no resource type {family!r}")
        self._one_of("in")
        compartment = self._location()
        condition: Condition = _always
        if self._peek() is not None:
            self._one_of("where")
            condition = self.condition()
        self.end()
        return Statement(
            text=self._text,
            denies=denies,
            subject=subject,
            verb=verb,
            families=families,
            compartment=compartment,
            condition=condition,
        )

    def condition(self) -> Condition:
        word = self._word("a variable, all or any")
        if word.lower() in {"all", "any"} and self._peek() == "{":
            parts = list(self._group())
            quantifier = all if word.lower() == "all" else any
            return lambda variables: quantifier(part(variables) for part in parts)
        operator = self._take("= or !=")
        if operator not in {"=", "!="}:
            raise self._error(f"= or != must follow {word!r}")
        matches = self._value()
        return lambda variables: (
            (word in variables and matches(variables[word], variables)) == (operator == "=")
        )

    def end(self) -> None:
        if self._peek() is not None:
            raise self._error(f"{self._peek()!r} is left over")

    def _group(self) -> Iterator[Condition]:
        self._take("{")
        yield self.condition()
        while (mark := self._take("a comma or }")) != "}":
            if mark != ",":
                raise self._error("conditions are separated by commas")
            yield self.condition()

    def _value(self) -> Callable[[str, Mapping[str, str]], bool]:
        token = self._take("a value")
        if token.startswith("'"):
            return lambda value, _: value == token[1:-1]
        if token.startswith("/"):
            return lambda value, _: fnmatch.fnmatchcase(value, token[1:-1])
        if token.startswith("target."):
            return lambda value, variables: value == variables.get(token)
        raise self._error(f"a value is in '…' or /…/, or a variable of target, not {token!r}")

    def _subject(self) -> Subject:
        kind = self._one_of("any-user", "group", "dynamic-group", "service")
        if kind == "any-user":
            return Subject(kind="any-user")
        if (self._peek() or "").lower() == "id":
            self._take("id")
        names = [self._word("a name")]
        while self._peek() == ",":
            self._take(",")
            names.append(self._word("a name"))
        if kind == "group":
            return Subject(kind="group", names=tuple(names))
        if kind == "dynamic-group":
            return Subject(kind="dynamic-group", names=tuple(names))
        return Subject(kind="service", names=tuple(names))

    def _location(self) -> str:
        if self._one_of("tenancy", "compartment") == "tenancy":
            return ""
        word = self._word("a compartment")
        return self._word("an OCID") if word.lower() == "id" else word

    def _peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, expected: str) -> str:
        token = self._peek()
        if token is None:
            raise self._error(f"it ends where {expected} should follow")
        self._next += 1
        return token

    def _word(self, expected: str) -> str:
        token = self._take(expected)
        if token[0] in "'/={},!":
            raise self._error(f"{token!r} stands where {expected} should")
        return token

    def _one_of(self, *words: str) -> str:
        token = self._take(" or ".join(words))
        if token.lower() not in words:
            raise self._error(f"{token!r} stands where {' or '.join(words)} should")
        return token.lower()

    def _error(self, message: str) -> PolicyError:
        return PolicyError(f"policy statement {self._text!r}, word {self._next}: {message}")


def _tokens(text: str) -> Iterator[str]:
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise PolicyError(f"policy statement {text!r}: {stripped[position:]!r} can't be read")
        position = match.end()
        yield match[0].strip()


def _always(variables: Mapping[str, str]) -> bool:  # noqa: ARG001  # a condition like others
    return True
