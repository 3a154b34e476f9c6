"""The work queue: nothing is lost, nothing is worked on twice at once, failures come back later and later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.api.metadata import ObjectKey
from ocijobs.controller.queue import (
    FIRST_RETRY_SECONDS,
    LAST_RETRY_SECONDS,
    QueueClosedError,
    WorkQueue,
)
from ocijobs.testing import ManualClock

pytestmark = pytest.mark.asyncio

A, B = (ObjectKey("OCIJobRun", "team-a", name) for name in "ab")


class Running:
    """A queue whose clock moves when the test says so."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.queue = WorkQueue(self.clock)
        self.task = asyncio.create_task(self.queue.run())

    async def advance(self, seconds: float) -> None:
        await settle()
        self.clock.advance(seconds)
        await settle()

    async def next(self) -> ObjectKey | None:
        """Return what a worker gets now, if anything."""
        getting = asyncio.create_task(self.queue.get())
        await settle()
        if getting.done():
            return getting.result()
        getting.cancel()
        await settle()
        return None


async def settle() -> None:
    """Let all tasks run as far as they can without time."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def running() -> AsyncIterator[Running]:
    running = Running()
    yield running
    running.task.cancel()


async def test_a_key_that_waits_is_handed_out_once(running: Running) -> None:
    for key in (A, B, A):
        running.queue.add(key)
    assert len(running.queue) == 2
    assert [await running.next() for _ in range(3)] == [A, B, None]
    assert running.queue.active == 2


async def test_a_key_that_is_worked_on_comes_again_afterwards_and_not_before(
    running: Running,
) -> None:
    running.queue.add(A)
    assert await running.next() == A
    running.queue.add(A)
    running.queue.add(A)
    assert await running.next() is None
    running.queue.done(A)
    assert await running.next() == A
    running.queue.done(A)
    assert await running.next() is None


async def test_the_earlier_of_two_times_counts(running: Running) -> None:
    running.queue.add_after(A, 10)
    running.queue.add_after(A, 30)
    running.queue.add_after(B, 30)
    running.queue.add_after(B, 10)
    await running.advance(9.9)
    assert await running.next() is None
    await running.advance(0.2)
    assert {await running.next(), await running.next()} == {A, B}
    running.queue.done(A)
    running.queue.done(B)
    await running.advance(60)
    assert await running.next() is None


async def test_work_on_a_key_makes_what_was_planned_for_it_void(running: Running) -> None:
    running.queue.add_after(A, 10)
    running.queue.add(A)
    assert await running.next() == A
    running.queue.done(A)
    await running.advance(60)
    assert await running.next() is None


@pytest.mark.parametrize("seconds", [0.0, -5.0])
async def test_what_was_due_in_the_past_is_due_now(running: Running, seconds: float) -> None:
    running.queue.add_after(A, seconds)
    assert await running.next() == A


async def test_failures_come_back_later_and_later_until_they_are_forgotten(
    running: Running,
) -> None:
    for failures in range(12):
        ceiling = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**failures)
        running.queue.retry(A)
        await running.advance(ceiling / 2 - 0.001)
        assert await running.next() is None
        await running.advance(ceiling / 2 + 0.002)
        assert await running.next() == A
        running.queue.done(A)
    running.queue.forget(A)
    running.queue.retry(A)
    await running.advance(FIRST_RETRY_SECONDS)
    assert await running.next() == A


async def test_a_closed_queue_ends_workers_that_wait_and_workers_that_come(
    running: Running,
) -> None:
    waiting = [asyncio.create_task(running.queue.get()) for _ in range(3)]
    await settle()
    await running.queue.close()
    assert [type(e) for e in await asyncio.gather(*waiting, return_exceptions=True)] == [
        QueueClosedError
    ] * 3
    running.queue.add(A)
    with pytest.raises(QueueClosedError):
        await running.queue.get()


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["add", "later", "get", "done", "wait"]))
    )
)
async def test_no_key_is_lost_and_none_is_with_two_workers(
    steps: list[tuple[str, str]],
) -> None:
    running = Running()
    owed: set[ObjectKey] = set()
    busy: set[ObjectKey] = set()
    for name, step in steps:
        key = ObjectKey("OCIJobRun", "team-a", name)
        if step in {"add", "later"}:
            running.queue.add_after(key, 5 if step == "later" else 0)
            owed.add(key)
        elif step == "get" and (got := await running.next()) is not None:
            assert got not in busy
            busy.add(got)
            owed.discard(got)
        elif step == "done" and key in busy:
            busy.discard(key)
            running.queue.done(key)
        elif step == "wait":
            await running.advance(3)
    for key in busy:
        running.queue.done(key)
    await running.advance(10)
    left = set()
    while (got := await running.next()) is not None:
        left.add(got)
        running.queue.done(got)
    running.task.cancel()
    assert left >= owed
