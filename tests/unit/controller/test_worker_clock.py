"""A clock that is set: what a process knows by its times is learnt anew."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

from ocijobs.api.metadata import ObjectKey
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.store import Store
from ocijobs.controller.worker import Surroundings, Worker
from ocijobs.reconcile.remote import Operation
from ocijobs.testing import ManualClock

KEY = ObjectKey("OCIJobRun", "team-a", "run")


async def _known_after(seconds: float, *, stepped: bool) -> bool:
    """Return whether something is still known of a run after time has passed, or the clock was set."""
    clock, memory = ManualClock(), Memory()
    parts: dict[str, Any] = {name: Mock() for name in Surroundings.__dataclass_fields__}
    parts |= {"store": Store(), "memory": memory, "queue": WorkQueue(clock), "clock": clock}
    worker = Worker(Surroundings(**parts))
    at = clock.now()
    memory.learn_run("uid", lambda known: known.called(Operation.SEARCH, at=at))
    if stepped:
        clock.step(seconds)
    else:
        clock.advance(seconds)
    await worker.reconcile(KEY)
    return bool(memory.run("uid").calls)


def test_a_clock_that_is_set_makes_a_process_forget_what_it_knows_by_times() -> None:
    assert not asyncio.run(_known_after(3600, stepped=True))
    assert not asyncio.run(_known_after(-3600, stepped=True))


def test_time_that_passes_and_a_clock_that_is_kept_right_change_nothing() -> None:
    assert asyncio.run(_known_after(3600, stepped=False))
    assert asyncio.run(_known_after(2, stepped=True))
