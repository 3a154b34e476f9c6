"""Objects whose status says nothing yet: for a moment that is how it should be, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ocijobs.clock import Clock
from ocijobs.controller.execution import Executor, Outcome
from ocijobs.controller.memory import Memory
from ocijobs.controller.reporting import Status
from ocijobs.controller.store import Entry
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.first_words import first_words

SILENT_SECONDS = 5.0
"""What is over within this time is not worth a write that says that it is being done."""

_LONGEST_SECONDS = 30.0
"""How long an object says nothing of which each round brings something."""

Write = Callable[[Entry, Decision[Status]], Awaitable[bool]]
"""Writes a decision's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What came of a decision's actions.

    Attributes:
        outcome: of the actions.
        decision: with what the object says of itself.
        spoke: whether the status said meanwhile what is awaited, so that the object has changed.
        speak_in: in how many seconds the object says something if it still has nothing to say; None if it has.
    """

    outcome: Outcome
    decision: Decision[Status]
    spoke: bool = False
    speak_in: float | None = None


class FirstWords:
    """Carries actions out, and has an object say what is done about it if that takes long."""

    def __init__(self, executor: Executor, memory: Memory, clock: Clock, write: Write) -> None:
        self._executor, self._memory, self._clock = executor, memory, clock
        self._write = write

    async def carry_out(self, entry: Entry, decision: Decision[Status]) -> Carried:
        """Carry a decision's actions out.

        Raises:
            ApiError: if the API server refuses a change of an object.
            NotLeadingError: if this process may not write any more.
        """
        uid = entry.metadata.uid
        words = first_words(decision, entry.metadata, self._clock.now())
        if words is None:
            self._memory.forget_silence(uid)
            outcome = await self._executor.carry_out(entry, decision.actions)
            return Carried(outcome=outcome, decision=decision)
        now = self._clock.monotonic()
        left = self._memory.silent_since(uid, now) + SILENT_SECONDS - now
        # A machine that is slow is no reason for a write: as long as something comes of each round, it goes on.
        patience = SILENT_SECONDS if left > SILENT_SECONDS - _LONGEST_SECONDS else 0.0
        speaking = asyncio.create_task(
            self._speak(entry, replace(decision, status=words), patience),
            name=f"first words of {entry.key}",
        )
        try:
            outcome = await self._executor.carry_out(entry, decision.actions)
        finally:
            speaking.cancel()
            (spoke,) = await asyncio.gather(speaking, return_exceptions=True)
        if isinstance(spoke, Exception):
            raise spoke
        if left <= 0 and not outcome.news:
            decision = replace(decision, status=words)
        return Carried(
            outcome=outcome,
            decision=decision,
            spoke=spoke is True,
            speak_in=left if left > 0 else None,
        )

    async def _speak(self, entry: Entry, decision: Decision[Status], seconds: float) -> bool:
        await self._clock.sleep(seconds)
        return await self._write(entry, decision)
