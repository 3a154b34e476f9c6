"""Whatever keeps the loop busy is named, while it does so."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from tests.support.patience import patience

from ocijobs.telemetry.watchdog import BUSY_SECONDS, Watchdog


class Lines(logging.Handler):
    """What the watchdog logs."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._news = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._news:
            self.records.append(record)
            self._news.notify_all()

    def wait(self, text: str) -> logging.LogRecord:
        """Block until there is a line with a text, and return it."""
        with self._news:
            assert self._news.wait_for(lambda: self._found(text), patience(20)), self.records
            return self._found(text)[0]

    def _found(self, text: str) -> list[logging.LogRecord]:
        return [record for record in self.records if text in record.getMessage()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logger = logging.getLogger("ocijobs.telemetry.watchdog")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def watched(
    work: Callable[[Watchdog], Coroutine[Any, Any, None]],
) -> list[float]:
    """Run something in a loop that is watched, and return how long the loop was busy each time."""
    busy: list[float] = []
    watchdog = Watchdog(busy.append)
    with asyncio.Runner(loop_factory=watchdog.loop_factory) as runner, watchdog:
        runner.run(work(watchdog))
    return busy


def keep_the_loop_busy(lines: Lines) -> str:
    """Keep it busy until the watchdog has logged it."""
    return str(vars(lines.wait("is busy"))["stack"])


def test_what_keeps_the_loop_busy_is_named_while_it_does(lines: Lines) -> None:
    stacks = []

    async def work(_: Watchdog) -> None:
        stacks.append(keep_the_loop_busy(lines))

    [seconds] = watched(work)
    assert "keep_the_loop_busy" in stacks[0]
    assert "in work" in stacks[0]
    assert seconds > BUSY_SECONDS


def test_what_goes_on_is_told_of_again_and_how_long_it_was(lines: Lines) -> None:
    async def work(_: Watchdog) -> None:
        keep_the_loop_busy(lines)
        # The next line about the same turn comes when it has taken ten times as long.
        lines.records.clear()
        lines.wait("is busy")

    [seconds] = watched(work)
    assert seconds > 10 * BUSY_SECONDS
    lines.wait("was busy for")


def test_many_long_steps_are_one_line_and_a_number(lines: Lines) -> None:
    async def work(_: Watchdog) -> None:
        keep_the_loop_busy(lines)
        for _turn in range(3):
            await asyncio.sleep(0)
            _spin(BUSY_SECONDS * 1.5)

    assert len(watched(work)) == 4
    assert len(lines.records) == 1


def _spin(seconds: float) -> None:
    """Keep the loop busy, as Python that calculates does."""
    threading.Event().wait(seconds)


def test_a_loop_that_turns_is_not_told_of_and_at_rest_it_costs_nothing(lines: Lines) -> None:
    looks = []

    async def work(watchdog: Watchdog) -> None:
        for _ in range(2000):
            await asyncio.sleep(0)
        before = watchdog.wakes
        await asyncio.sleep(0.5)
        looks.append(watchdog.wakes - before)

    assert watched(work) == []
    assert lines.records == []
    # One for the turn that went to sleep.
    assert looks[0] <= 2


def test_others_can_ask_for_how_long_it_is_busy() -> None:
    seen = []

    async def work(watchdog: Watchdog) -> None:
        asked, answered = threading.Event(), threading.Event()

        def ask() -> None:
            asked.wait()
            seen.append(watchdog.busy_seconds)
            answered.set()

        thread = threading.Thread(target=ask)
        thread.start()
        _spin(0.05)
        asked.set()
        answered.wait()
        thread.join()
        await asyncio.sleep(0)

    watched(work)
    assert seen[0] >= 0.05
