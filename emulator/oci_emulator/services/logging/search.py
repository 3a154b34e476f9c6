"""Log search: the stages of a query carried out over entries."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any

from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import ServiceError, invalid, not_found
from oci_emulator.calls.paging import decode, encode, limit_of
from oci_emulator.formats import ocid, wildcard
from oci_emulator.formats.jsontypes import JsonObject, compact
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.logging import query as language
from oci_emulator.services.logging.changes import GROUP, LOG
from oci_emulator.services.logging.entries import LogEntries, LogEntry
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
    Stream,
    Where,
)
from oci_emulator.state.resources import Resource, Selection

_MAXIMUM = 1000
_DEFAULT = 100
_DAY = 86400.0


class LogSearch:
    """SearchLogs."""

    def __init__(self, foundation: Foundation, entries: LogEntries) -> None:
        self._foundation = foundation
        self._entries = entries

    def search(self, call: Call) -> Answer:
        """SearchLogs: a page of what a query finds in a period of 14 days at most."""
        limit = limit_of(call.query, _DEFAULT, _MAXIMUM)
        start, end = self._period(call.body)
        try:
            query = language.parse(call.body["searchQuery"])
            self._check_sources(query)
        except QueryError as error:
            raise invalid(f"searchQuery: {error}") from None
        logs = [log.id for stream in query.streams for log in self._logs(call, stream)]
        rows = run(query, self._find(query, logs, start, end))
        scope = {**call.query, **call.body}
        first = decode(call.query["page"], scope) if "page" in call.query else 0
        if not isinstance(first, int) or not 0 <= first <= len(rows):
            raise invalid("page: the token holds no position")
        page = rows[first : first + limit]
        answer = Answer(
            body={
                "results": [{"data": row} for row in page],
                "summary": {"resultCount": len(page), "fieldCount": len(_fields(page))},
            }
        )
        if call.body.get("isReturnFieldInfo"):
            answer.body["fields"] = _fields(page)
        if first + limit < len(rows):
            answer.headers["opc-next-page"] = encode(first + limit, scope)
        return answer

    def _period(self, details: Mapping[str, str]) -> tuple[float, float]:
        start, end = (
            datetime.fromisoformat(details[name]).timestamp() for name in ("timeStart", "timeEnd")
        )
        days = self._foundation.rules.search_window_days
        if start > end:
            raise invalid("timeStart: must not be after timeEnd")
        if end - start > days * _DAY:
            raise invalid(f"timeStart: a search covers at most {days} days")
        return start, end

    def _check_sources(self, query: Query) -> None:
        """Refuse ``source = '<ocid>'``: only ``'*<ocid>'`` is known to work."""
        if self._foundation.rules.search_exact_source == "accept":
            return
        for comparison in _comparisons(query):
            if _normal(comparison.field) == ("source",) and ocid.type_of(str(comparison.value)):
                raise QueryError(
                    comparison.position,
                    "source can't be compared with an OCID, only with '*<ocid>'",
                )

    def _logs(self, call: Call, stream: Stream) -> Iterable[Resource]:
        call.require(stream.compartment)
        in_compartment = {"compartment": stream.compartment}
        if not stream.group:
            return self._foundation.resources.select(Selection(kind=LOG, equal=in_compartment))
        group = self._named(GROUP, in_compartment, stream.group)
        if not stream.log:
            in_group = Selection(kind=LOG, equal={"parent": group.id})
            return self._foundation.resources.select(in_group)
        return [self._named(LOG, {"parent": group.id}, stream.log)]

    def _named(self, kind: str, within: Mapping[str, str], name: str) -> Resource:
        """A log group or log, by its OCID or its name."""
        for column in ("id", "name"):
            selection = Selection(kind=kind, equal={**within, column: name}, limit=1)
            found = self._foundation.resources.select(selection)
            if found:
                return found[0]
        raise not_found(f"{kind} {name[:255]}")

    def _find(self, query: Query, logs: Sequence[str], start: float, end: float) -> list[LogEntry]:
        maximum = self._foundation.rules.search_maximum_entries
        found = self._entries.find(
            logs,
            start=start,
            end=end,
            now=self._foundation.clock.now(),
            limit=maximum + 1,
            source_endings=_source_endings(query),
        )
        if len(found) > maximum:
            raise ServiceError(400, "InvalidParameter", "The search result is too large.")
        return found


def run(query: Query, entries: Iterable[LogEntry]) -> list[JsonObject]:
    """What a query makes of entries that are in the order of their times.

    A query that doesn't sort gets the newest first.
    """
    rows: list[JsonObject] = [
        {"datetime": int(entry.time * 1000), "logContent": entry.content()} for entry in entries
    ]
    if not any(isinstance(stage, SortBy) for stage in query.stages):
        rows.reverse()
    for stage in query.stages:
        match stage:
            case Where(condition=condition):
                rows = [row for row in rows if holds(condition, row)]
            case SortBy(keys=keys):
                for field, descending in reversed(keys):
                    rows.sort(key=_sort_key(field), reverse=descending)
            case Limit(number=number):
                rows = rows[:number]
            case Select(fields=fields):
                rows = [{name: _get(row, field) for field, name in fields} for row in rows]
            case Count():
                rows = [{"count": len(rows)}]
    return rows


def holds(condition: Condition, row: JsonObject) -> bool:
    """Whether a row meets a condition."""
    match condition:
        case Both(parts=parts):
            return all(holds(part, row) for part in parts)
        case Either(parts=parts):
            return any(holds(part, row) for part in parts)
        case Not(part=part):
            return not holds(part, row)
        case Compare(field=field, operator=operator, value=value):
            return _compare(_get(row, field), operator, value, is_time=_normal(field) in _TIMES)


def _compare(actual: Any, operator: str, value: Any, *, is_time: bool) -> bool:
    if actual is None:
        return False
    if is_time:
        actual, value = _milliseconds(actual), _milliseconds(value)
    if operator in {"=", "!="}:
        return _equal(actual, value) == (operator == "=")
    if isinstance(actual, str) and isinstance(value, str):
        return _ORDERINGS[operator](actual, value)
    if isinstance(actual, int | float) and isinstance(value, int | float):
        return _ORDERINGS[operator](actual, value)
    return False


_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


def _equal(actual: Any, value: Any) -> bool:
    if isinstance(value, str):
        text = actual if isinstance(actual, str) else compact(actual)
        return wildcard.fits(text, value)
    return bool(actual == value)


_TIMES = frozenset({("datetime",), ("time",)})


def _milliseconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return int(datetime.fromisoformat(value).timestamp() * 1000)
    except ValueError:
        return value


def _normal(field: Field) -> Field:
    return field[1:] if len(field) > 1 and field[0] == "logContent" else field


def _get(row: JsonObject, field: Field) -> Any:
    """A field of a row: of the row itself, or of its log content."""
    for place in (row, row.get("logContent", {})):
        value: Any = place
        for name in field:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def _sort_key(field: Field) -> Callable[[JsonObject], tuple[int, Any]]:
    return lambda row: _order(_get(row, field))


def _order(value: Any) -> tuple[int, Any]:
    """A key that sorts values of all kinds."""
    if value is None:
        return 0, 0
    if isinstance(value, int | float):
        return 1, value
    return 2, value if isinstance(value, str) else compact(value)


def _comparisons(query: Query) -> list[Compare]:
    def inside(condition: Condition) -> list[Compare]:
        match condition:
            case Both(parts=parts) | Either(parts=parts):
                return [comparison for part in parts for comparison in inside(part)]
            case Not(part=part):
                return inside(part)
            case Compare():
                return [condition]

    return [
        comparison
        for stage in query.stages
        if isinstance(stage, Where)
        for comparison in inside(stage.condition)
    ]


def _source_endings(query: Query) -> list[str]:
    """What the sources that a query can find end with; empty if it can't be told.

    Only a first stage counts, that is ``source = '*…'``, several of them joined by ``or``, or
    those joined with other conditions by ``and``.
    """
    if not query.stages or not isinstance(query.stages[0], Where):
        return []
    condition = query.stages[0].condition
    for part in condition.parts if isinstance(condition, Both) else (condition,):
        alternatives = part.parts if isinstance(part, Either) else (part,)
        endings = [_ending(alternative) for alternative in alternatives]
        if all(endings):
            return endings
    return []


def _ending(condition: Condition) -> str:
    if (
        isinstance(condition, Compare)
        and condition.operator == "="
        and _normal(condition.field) == ("source",)
        and isinstance(condition.value, str)
        and condition.value.rfind("*") == 0
    ):
        return condition.value[1:]
    return ""


_FIELD_TYPES = {bool: "BOOLEAN", int: "NUMBER", float: "NUMBER", list: "ARRAY"}


def _fields(rows: Sequence[JsonObject]) -> list[JsonObject]:
    """The fields of rows and their types, as ``isReturnFieldInfo`` asks for."""
    kinds = {name: type(value) for row in rows for name, value in row.items()}
    return [
        {"fieldName": name, "fieldType": _FIELD_TYPES.get(kind, "STRING")}
        for name, kind in kinds.items()
    ]
