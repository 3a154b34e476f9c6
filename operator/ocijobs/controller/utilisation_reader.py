"""Reads the utilisation of ended runs in batches: four queries for fifty runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ocijobs.backends.records import Refusal, internal_refusal
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.monitoring import MOST_RUNS, Monitoring, Span
from ocijobs.controller.batches import Asked, Batches
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.reconcile.actions.runs import ReadUtilisation


class _MetricGroup(NamedTuple):
    """What runs have in common that one query can cover."""

    principal: Principal
    compartment_id: str
    interval_minutes: int


class UtilisationReader:
    """Collects requests for a moment, and queries Monitoring once for many."""

    def __init__(
        self,
        monitoring: Monitoring,
        *,
        memory: Memory,
        queue: WorkQueue,
        clock: Clock,
        batch_seconds: float,
        count_error: Callable[[str, str], None],
    ) -> None:
        self._count_error = count_error
        self._monitoring, self._memory, self._clock = monitoring, memory, clock
        self._batches: Batches[_MetricGroup, ReadUtilisation] = Batches(
            self._read,
            self._failed,
            most=MOST_RUNS,
            seconds=batch_seconds,
            queue=queue,
            clock=clock,
        )

    def ask(self, entry: Entry, action: ReadUtilisation, principal: Principal) -> None:
        """Have a run's utilisation read in the next batch; asking twice is asking once."""
        minutes = _span(action).interval_minutes
        group = _MetricGroup(principal, action.compartment_id, minutes)
        self._batches.ask(entry, group, action)

    async def run(self) -> None:
        """Read what was requested. Runs for as long as the operator."""
        await self._batches.run()

    async def _read(self, group: _MetricGroup, batch: Sequence[Asked[ReadUtilisation]]) -> None:
        spans = [_span(item.request) for item in batch]
        answer = await self._monitoring.utilisation(group.principal, group.compartment_id, spans)
        now = self._clock.now()
        for item in batch:
            told = answer if isinstance(answer, Refusal) else answer.get(item.request.run_id)
            self._memory.run_answered(item.uid, (item.request, told), now)

    def _failed(self, item: Asked[ReadUtilisation], error: Exception) -> None:
        name = type(error).__name__
        self._count_error("reading the utilisation", name)
        refusal = internal_refusal("reading the utilisation", name)
        self._memory.run_answered(item.uid, (item.request, refusal), self._clock.now())


def _span(action: ReadUtilisation) -> Span:
    return Span(run_id=action.run_id, start=action.start, end=action.end)
