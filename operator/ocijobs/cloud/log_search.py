"""The output of runs, from OCI Logging: several runs in one search.

A search covers 14 days and returns 1,000 entries at most. `source = '<ocid>'` is refused, `source = '*<ocid>'` works
(as in oracle-ads).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ocijobs.backends.records import Refusal
from ocijobs.cloud.calls import Calls, OciRequest
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.sdk import log_search_models as models
from ocijobs.reconcile.output import TAIL_LINES, LogLines, results_of_line

MOST_RUNS = 20
"""How many runs one search asks for: their OCIDs must fit into the query."""

_LIMIT = 1000
_LONGEST = timedelta(days=14)
_CLOCKS_APART = timedelta(minutes=5)
"""Extra time to search after the end that OCI reports, since our clock may be behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRequest:
    """Which lines of one run to return: the last lines, and with `results` the last result line.

    `since` and `until` are OCI's times of the run's acceptance and end.
    """

    run_id: str
    compartment_id: str
    log_group_id: str
    since: datetime
    results: bool
    until: datetime | None = None


class LogSearch:
    """Searches logs as the identity of the runs."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def lines(
        self, principal: Principal, requests: Sequence[LogRequest], until: datetime
    ) -> Mapping[str, LogLines] | Refusal:
        """Return the lines of runs whose logs are in one log group, by run.

        If an answer is full and so cuts runs off, each of these is searched once more by itself.
        """
        found = await self._search(principal, requests, until)
        if isinstance(found, Refusal):
            return found
        lines, full = found
        answer = {request.run_id: _lines(lines[request.run_id]) for request in requests}
        if not full or len(requests) == 1:
            return answer
        for request in requests:
            if not _enough(answer[request.run_id], request):
                alone = await self._search(principal, [request], until)
                if isinstance(alone, Refusal):
                    return alone
                answer[request.run_id] = _lines(alone[0][request.run_id])
        return answer

    async def _search(
        self, principal: Principal, requests: Sequence[LogRequest], until: datetime
    ) -> tuple[Mapping[str, list[str]], bool] | Refusal:
        """Return the lines of each run, oldest first, and whether there may be more."""
        last = max(r.until or r.since for r in requests)
        end = until if last < until else last + _CLOCKS_APART
        details = models.SearchLogsDetails(
            time_start=max(min(r.since for r in requests), end - _LONGEST),
            time_end=end,
            search_query=_query(requests),
        )
        response = await self._calls.call(
            OciRequest(principal=principal, service=Service.LOG_SEARCH, operation="SearchLogs"),
            lambda client: client.search_logs(details, limit=_LIMIT).data,
        )
        if isinstance(response, Refusal):
            return response
        found = [result.data for result in response.results or []]
        return _by_run(found, requests), len(found) >= _LIMIT


def _query(requests: Sequence[LogRequest]) -> str:
    first = requests[0]
    sources = " or ".join(f"source = '*{request.run_id}'" for request in requests)
    stream = f"{first.compartment_id}/{first.log_group_id}"
    return f'search "{stream}" | where {sources} | sort by datetime desc'


def _by_run(found: Sequence[Any], requests: Sequence[LogRequest]) -> Mapping[str, list[str]]:
    """Return the requested lines, oldest first; lines of one millisecond in OCI's order."""
    by_run: dict[str, list[str]] = defaultdict(list)
    wanted = {request.run_id for request in requests}
    for data in sorted(found, key=_moment):
        run_id, message = _entry(data)
        if run_id in wanted:
            by_run[run_id].append(message)
    return by_run


def _entry(data: Any) -> tuple[str, str]:
    """Return the run and the line of an entry; empty if the entry is not one of a run."""
    content = _object(_object(data).get("logContent"))
    source, message = content.get("source"), _object(content.get("data")).get("message")
    if not isinstance(source, str) or not isinstance(message, str):
        return "", ""
    return source[source.rfind("ocid1.") :], message


def _moment(data: Any) -> float:
    """Return the time of an entry, in milliseconds since 1970."""
    moment = _object(data).get("datetime")
    return moment if isinstance(moment, int | float) else 0


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _lines(messages: Sequence[str]) -> LogLines:
    return LogLines(
        tail=tuple(messages[-TAIL_LINES:]),
        results=tuple(m for m in messages if results_of_line(m) is not None),
    )


def _enough(lines: LogLines, request: LogRequest) -> bool:
    return len(lines.tail) >= TAIL_LINES and bool(lines.results or not request.results)
