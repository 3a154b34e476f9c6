"""Reads the logs of ended runs in batches: a thousand runs that end together need fifty searches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ocijobs.backends.records import Refusal, internal_refusal
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.log_search import MOST_RUNS, LogRequest, LogSearch
from ocijobs.controller.batches import Asked, Batches
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.reconcile.actions.runs import SearchLogs


class _LogGroup(NamedTuple):
    """What runs have in common that one search can cover."""

    principal: Principal
    compartment_id: str
    log_group_id: str


class LogReader:
    """Collects requests for a moment, and searches once for many."""

    def __init__(
        self,
        search: LogSearch,
        *,
        memory: Memory,
        queue: WorkQueue,
        clock: Clock,
        batch_seconds: float,
        count_error: Callable[[str, str], None],
    ) -> None:
        self._count_error = count_error
        self._search, self._memory, self._clock = search, memory, clock
        self._batches: Batches[_LogGroup, SearchLogs] = Batches(
            self._read,
            self._failed,
            most=MOST_RUNS,
            seconds=batch_seconds,
            queue=queue,
            clock=clock,
        )

    def ask(self, entry: Entry, action: SearchLogs, principal: Principal) -> None:
        """Have a run's log read in the next batch; asking twice is asking once."""
        group = _LogGroup(principal, action.compartment_id, action.log.log_group_id)
        self._batches.ask(entry, group, action)

    async def run(self) -> None:
        """Read what was requested. Runs for as long as the operator."""
        await self._batches.run()

    async def _read(self, group: _LogGroup, batch: Sequence[Asked[SearchLogs]]) -> None:
        requests = [_request(item.request) for item in batch]
        answer = await self._search.lines(group.principal, requests, self._clock.now())
        now = self._clock.now()
        for item in batch:
            lines = answer if isinstance(answer, Refusal) else answer[item.request.run_id]
            self._memory.run_answered(item.uid, (item.request, lines), now)

    def _failed(self, item: Asked[SearchLogs], error: Exception) -> None:
        name = type(error).__name__
        self._count_error("reading the log", name)
        refusal = internal_refusal("reading the log", name)
        self._memory.run_answered(item.uid, (item.request, refusal), self._clock.now())


def _request(action: SearchLogs) -> LogRequest:
    return LogRequest(
        run_id=action.run_id,
        compartment_id=action.compartment_id,
        log_group_id=action.log.log_group_id,
        since=action.since,
        until=action.until,
        results=action.results,
    )
