"""The logs of runs that have ended, read in batches: a thousand runs that end together make fifty searches."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from operator import methodcaller

from ocijobs.api.metadata import ObjectKey
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.log_search import MOST_RUNS, LogRequest, LogSearch
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.store import Entry
from ocijobs.reconcile.decision import SearchLogs
from ocijobs.reconcile.remote import Refusal
from ocijobs.reconcile.run.known import LogLines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    key: ObjectKey
    uid: str
    request: LogRequest


class LogReader:
    """Gathers what is asked for a moment, and searches once for many."""

    def __init__(
        self,
        search: LogSearch,
        memory: Memory,
        queue: WorkQueue,
        clock: Clock,
        batch_seconds: float,
    ) -> None:
        self._search, self._memory, self._queue, self._clock = search, memory, queue, clock
        self._batch_seconds = batch_seconds
        self._waiting: dict[tuple[Principal, str, str], dict[str, _Asked]] = defaultdict(dict)
        self._reading: set[str] = set()
        self._asked = asyncio.Event()

    def ask(self, entry: Entry, action: SearchLogs, principal: Principal) -> None:
        """Have a run's log read in the next batch; asking twice is asking once."""
        uid = entry.metadata.uid
        if uid in self._reading:
            return
        request = LogRequest(
            run_id=action.run_id,
            compartment_id=action.compartment_id,
            log_group_id=action.log.log_group_id,
            since=action.since,
            results=action.results,
        )
        group = (principal, action.compartment_id, action.log.log_group_id)
        self._waiting[group][uid] = _Asked(key=entry.key, uid=uid, request=request)
        self._asked.set()

    async def run(self) -> None:
        """Read what is asked for. Runs for as long as the operator does."""
        while True:
            await self._asked.wait()
            await self._clock.sleep(self._batch_seconds)
            self._asked.clear()
            waiting, self._waiting = self._waiting, defaultdict(dict)
            batches = [
                (group[0], batch)
                for group, asked in waiting.items()
                for batch in _batches(list(asked.values()))
            ]
            self._reading = {item.uid for _, batch in batches for item in batch}
            await asyncio.gather(*(self._read(principal, batch) for principal, batch in batches))

    async def _read(self, principal: Principal, batch: list[_Asked]) -> None:
        requests = [item.request for item in batch]
        answer = await self._search.lines(principal, requests, self._clock.now())
        now = self._clock.now()
        for item in batch:
            lines: LogLines | Refusal = (
                answer if isinstance(answer, Refusal) else answer[item.request.run_id]
            )
            self._memory.learn_run(item.uid, methodcaller("logs_answered", lines, at=now))
            self._reading.discard(item.uid)
            self._queue.add(item.key)


def _batches(asked: list[_Asked]) -> list[list[_Asked]]:
    rest = iter(asked)
    batches = []
    while batch := list(islice(rest, MOST_RUNS)):
        batches.append(batch)
    return batches
