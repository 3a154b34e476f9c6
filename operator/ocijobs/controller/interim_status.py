"""Writes an interim status for an object without a status of its generation, if its actions take long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ocijobs.api.status import AnyStatus
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.controller.execution import Executor, Outcome
from ocijobs.controller.memory import Memory
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.interim_status import interim_status

WITHOUT_STATUS_SECONDS = 5.0
"""Seconds. An action that is over within this time needs no status that says that it is going on."""

_LONGEST_SECONDS = 30.0
"""Seconds for which an object may be without a status although each round has an outcome."""

Write = Callable[[Entry, Decision[AnyStatus]], Awaitable[bool]]
"""Writes a decision's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The outcome of a decision's actions.

    Attributes:
        outcome: of the actions.
        decision: with the interim status, if that is to be written now.
        wrote: whether the interim status was written meanwhile, so that the object has changed.
        write_in: in how many seconds to write the interim status if nothing else is written; None if never.
    """

    outcome: Outcome
    decision: Decision[AnyStatus]
    wrote: bool = False
    write_in: float | None = None


class InterimStatus:
    """Carries actions out, and writes an interim status if they take long."""

    def __init__(self, executor: Executor, memory: Memory, clock: Clock, write: Write) -> None:
        self._executor, self._memory, self._clock = executor, memory, clock
        self._write = write

    async def carry_out(self, entry: Entry, decision: Decision[AnyStatus]) -> Carried:
        """Carry a decision's actions out.

        Raises:
            ApiError: if the API server refuses a change of an object.
            NotLeadingError: if this process may not write any more.
        """
        uid = entry.metadata.uid
        interim = interim_status(decision, entry.metadata, self._clock.now())
        if interim is None:
            self._memory.has_status(uid)
            outcome = await self._executor.carry_out(entry, decision.actions)
            return Carried(outcome=outcome, decision=decision)
        now = self._clock.monotonic()
        left = self._memory.without_status_since(uid, now) + WITHOUT_STATUS_SECONDS - now
        # A machine that is slow is no reason for a write: as long as something comes of each round, it goes on.
        patience = (
            WITHOUT_STATUS_SECONDS if left > WITHOUT_STATUS_SECONDS - _LONGEST_SECONDS else 0.0
        )
        writing = asyncio.create_task(
            self._write_later(entry, replace(decision, status=interim), patience),
            name=f"interim status of {entry.key}",
        )
        try:
            outcome = await self._executor.carry_out(entry, decision.actions)
        finally:
            writing.cancel()
            (wrote,) = await asyncio.gather(writing, return_exceptions=True)
        if isinstance(wrote, Exception):
            raise wrote
        if left <= 0 and not outcome.news:
            decision = replace(decision, status=interim)
        return Carried(
            outcome=outcome,
            decision=decision,
            wrote=wrote is True,
            write_in=left if left > 0 else None,
        )

    async def _write_later(
        self, entry: Entry, decision: Decision[AnyStatus], seconds: float
    ) -> bool:
        await self._clock.sleep(seconds)
        return await self._write(entry, decision)
