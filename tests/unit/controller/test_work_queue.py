"""The work queue: nothing is lost, nothing is worked on twice at once, failures come back later and later."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.api.shared.metadata import ObjectKey
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


class Rounds:
    """A queue with workers that test code ends, one by one."""

    def __init__(self, workers: int) -> None:
        self.queue = WorkQueue(ManualClock(), workers=workers)
        self.begun: list[ObjectKey] = []
        self.task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        with suppress(QueueClosedError):
            while True:
                self.begun.append(await self.queue.get())

    async def end(self, key: ObjectKey) -> None:
        """Have a worker be done with a key."""
        self.queue.done(key)
        await settle()


def keys(namespace: str, count: int) -> list[ObjectKey]:
    return [ObjectKey("OCIJobRun", namespace, f"run-{number}") for number in range(count)]


async def test_the_first_key_of_a_namespace_waits_for_no_more_than_its_turn() -> None:
    rounds = Rounds(workers=4)
    for key in keys("many", 10_000):
        rounds.queue.add(key)
    await settle()
    rounds.queue.add(A)
    await settle()
    # Not all workers are at work for the one namespace, so there is one for the other at once.
    assert rounds.begun[-1] == A
    assert len(rounds.begun) == 3


async def test_namespaces_take_turns() -> None:
    rounds = Rounds(workers=1)
    for name in ("x", "y", "z"):
        for key in keys(name, 3):
            rounds.queue.add(key)
    await settle()
    while len(rounds.begun) < 9:
        await rounds.end(rounds.begun[-1])
    assert [key.namespace for key in rounds.begun] == list("xyzxyzxyz")
    assert [key.name for key in rounds.begun if key.namespace == "y"] == [
        "run-0",
        "run-1",
        "run-2",
    ]


async def test_who_waits_for_an_answer_holds_no_worker_and_has_the_key_for_himself() -> None:
    rounds, answer = Rounds(workers=1), asyncio.Event()
    rounds.queue.add(A)
    await settle()

    async def call() -> None:
        async with rounds.queue.waiting_for_answer(A):
            await answer.wait()

    calling = asyncio.create_task(call())
    await settle()
    rounds.queue.add(B)
    rounds.queue.add(A)
    await settle()
    assert rounds.begun == [A, B]
    assert (rounds.queue.active, rounds.queue.workers) == (2, 1)
    answer.set()
    await settle()
    # The answer is there, and a worker is not.
    assert not calling.done()
    await rounds.end(B)
    assert calling.done()
    assert rounds.begun == [A, B]
    await rounds.end(A)
    assert rounds.begun == [A, B, A]


async def test_who_is_cancelled_while_he_waits_leaves_all_workers_free() -> None:
    rounds = Rounds(workers=1)
    rounds.queue.add(A)
    await settle()

    async def call() -> None:
        try:
            async with rounds.queue.waiting_for_answer(A):
                await asyncio.Event().wait()
        finally:
            rounds.queue.done(A)

    calling = asyncio.create_task(call())
    await settle()
    calling.cancel()
    await settle()
    assert (rounds.queue.active, rounds.queue.workers) == (0, 0)


class Crowd:
    """Keys whose workers begin, wait for answers and end as a test says."""

    def __init__(self, workers: int) -> None:
        self.workers, self.rounds = workers, Rounds(workers)
        self.queue = self.rounds.queue
        self.busy: set[ObjectKey] = set()
        self.owed: set[ObjectKey] = set()
        self.answers: dict[ObjectKey, asyncio.Event] = {}
        self.calls: dict[ObjectKey, asyncio.Task[None]] = {}

    def at_work(self, key: ObjectKey) -> bool:
        """Whether a key is worked on, and waits for no answer."""
        return key in self.busy and (key not in self.calls or self.calls[key].done())

    async def step(self, step: str, key: ObjectKey) -> None:
        match step:
            case "add":
                self.queue.add(key)
                self.owed.add(key)
            case "wait" if key in self.busy and key not in self.calls:
                self.answers[key] = asyncio.Event()
                self.calls[key] = asyncio.create_task(self._call(key))
            case "answer" if key in self.answers:
                self.answers[key].set()
            case "end" if self.at_work(key):
                self.end(key)
        await self.look()

    async def _call(self, key: ObjectKey) -> None:
        async with self.queue.waiting_for_answer(key):
            await self.answers[key].wait()

    def end(self, key: ObjectKey) -> None:
        self.calls.pop(key, None)
        self.answers.pop(key, None)
        self.busy.discard(key)
        self.queue.done(key)

    async def look(self) -> None:
        """See that no key is with two workers, that no more are at work than there are, and that nobody is left out."""
        await settle()
        for key in self.rounds.begun:
            assert key not in self.busy
            self.busy.add(key)
            self.owed.discard(key)
        self.rounds.begun.clear()
        assert self.queue.workers <= self.workers
        assert self.queue.active == len(self.busy)
        at_work = Counter(key.namespace for key in self.busy if self.at_work(key))
        for namespace in {key.namespace for key in self.owed - self.busy}:
            # Whoever has none gets one, as long as one is free.
            assert at_work[namespace] or self.queue.workers == self.workers

    async def end_all(self) -> None:
        """Answer everything, and end everything, until nothing is left."""
        rounds = 0
        while self.owed or self.busy:
            for answer in self.answers.values():
                answer.set()
            await settle()
            for key in list(filter(self.at_work, self.busy)):
                self.end(key)
                await self.look()
            rounds += 1
            assert rounds < 100, "nobody is lost"
        await self.queue.close()


@given(
    workers=st.integers(1, 6),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "end", "wait", "answer"]),
            st.builds(
                lambda namespace, number: ObjectKey("OCIJobRun", namespace, f"run-{number}"),
                st.sampled_from("xyz"),
                st.integers(0, 5),
            ),
        ),
        max_size=60,
    ),
)
async def test_workers_are_shared_whatever_happens(
    workers: int, steps: list[tuple[str, ObjectKey]]
) -> None:
    crowd = Crowd(workers)
    for step in steps:
        await crowd.step(*step)
    await crowd.end_all()
    assert not crowd.owed
    assert (crowd.queue.active, crowd.queue.workers, len(crowd.queue)) == (0, 0, 0)


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
