"""A decision that leaves an object no rest holds nobody up: it gets a pause, is counted, and is told of."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller import requeue
from ocijobs.controller import worker as module
from ocijobs.controller.execution import Outcome
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.statuses import StatusWriter
from ocijobs.controller.store import Store
from ocijobs.controller.worker import Surroundings, Worker
from ocijobs.reconcile.actions.objects import AddFinalizer
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.interim_status import interim_status
from ocijobs.settings import Settings
from ocijobs.telemetry.metrics import Metrics
from ocijobs.testing import NAMESPACE, ManualClock, make_run, make_run_observation

KEY = ObjectKey("OCIJobRun", NAMESPACE, "run")

Decide = Callable[[Any, datetime], Decision[Any]]


class Bench:
    """A worker with one run, about which is decided as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, decide: Decide) -> None:
        self.clock, self.metrics, self.decisions = ManualClock(), Metrics(), 0

        def counted(observation: Any, now: datetime) -> Decision[Any]:
            self.decisions += 1
            return decide(observation, now)

        monkeypatch.setattr(module, "decide_run", counted)
        store = Store()
        run = make_run()
        says = interim_status(Decision(status=run.status), run.metadata, self.clock.now())
        run = run.model_copy(update={"status": says})
        store.put({**run.document(), "kind": "OCIJobRun"})
        parts: dict[str, Any] = {name: Mock() for name in Surroundings.__dataclass_fields__}
        observer = Mock()
        observer.run = lambda run: make_run_observation(run=run)
        self.executor = Mock(carry_out=AsyncMock())
        self.executor.carry_out.return_value = Outcome(news=True)
        self.queue = WorkQueue(self.clock)
        parts |= {
            "store": store,
            "memory": Memory(),
            "queue": self.queue,
            "clock": self.clock,
            "metrics": self.metrics,
            "observer": observer,
            "executor": self.executor,
            "reporter": AsyncMock(),
            "failures": Mock(pause_of=lambda _: 0.0),
            "statuses": StatusWriter(
                writer=Mock(),
                store=store,
                memory=Memory(),
                queue=self.queue,
                reporter=Mock(),
                metrics=self.metrics,
                clock=self.clock,
                settings=Settings(),
            ),
        }
        self.worker = Worker(Surroundings(**parts))

    async def live(self, seconds: float, *, turns: int) -> None:
        """Let the worker work, through some turns of the loop at each second."""
        tasks = [asyncio.create_task(self.queue.run()), asyncio.create_task(self.worker.run())]
        self.queue.add(KEY)
        for _ in range(int(seconds)):
            for _ in range(turns):
                await asyncio.sleep(0)
            self.clock.advance(1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def caught(self) -> float:
        """How often a pause was given."""
        value = self.metrics.registry.get_sample_value(
            "ocijobs_reconcile_hot_loops_total", {"kind": "OCIJobRun"}
        )
        return value or 0.0


pytestmark = pytest.mark.asyncio


async def test_a_decision_that_wakes_in_the_past_is_made_once_a_second(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(monkeypatch, lambda o, now: Decision(status=o.run.status, wake_at=now))
    bench.executor.carry_out.return_value = Outcome()
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(60):
            await bench.live(10, turns=200)
    assert 9 <= bench.decisions <= 11
    assert bench.caught == bench.decisions
    assert "asks to be made again at once" in caplog.text


async def test_a_decision_that_always_finds_something_to_do_gets_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requeue, "_MOST_ROUNDS", 5)
    bench = Bench(
        monkeypatch, lambda o, _: Decision(status=o.run.status, actions=(AddFinalizer(),))
    )
    async with asyncio.timeout(60):
        await bench.live(10, turns=200)
    assert bench.decisions <= 5 + 11
    assert bench.caught >= 9


async def test_the_loop_turns_in_every_round(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(
        monkeypatch, lambda o, _: Decision(status=o.run.status, actions=(AddFinalizer(),))
    )
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    async with asyncio.timeout(60):
        await bench.live(1, turns=100)
    task.cancel()
    assert turns >= bench.decisions
