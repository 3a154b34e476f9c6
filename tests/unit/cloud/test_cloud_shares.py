"""How many calls of each principal are under way: whoever comes finds a place."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.cloud.shares import Shares

pytestmark = pytest.mark.asyncio


class Callers:
    """Callers that stay until the test lets them go."""

    def __init__(self, shares: Shares) -> None:
        self.shares = shares
        self.inside: list[tuple[str, asyncio.Event]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def come(self, owner: str) -> asyncio.Task[None]:
        async def stay() -> None:
            async with self.shares.one(owner):
                leave = asyncio.Event()
                self.inside.append((owner, leave))
                try:
                    await leave.wait()
                finally:
                    self.inside.remove((owner, leave))

        task = asyncio.create_task(stay())
        self.tasks.append(task)
        return task

    def counts(self) -> Counter[str]:
        return Counter(owner for owner, _ in self.inside)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_has_half_and_whoever_comes_finds_a_place() -> None:
    callers = Callers(Shares(8, 8))
    for owner in ["a"] * 20 + ["b"] * 20 + ["c"]:
        callers.come(owner)
        await settle()
    assert callers.counts() == {"a": 4, "b": 2, "c": 1}


async def test_who_leaves_lets_the_one_with_the_fewest_in() -> None:
    callers = Callers(Shares(2, 2))
    for owner in "aaab":
        callers.come(owner)
    await settle()
    assert [owner for owner, _ in callers.inside] == ["a", "b"]
    callers.come("b")
    callers.inside[1][1].set()
    await settle()
    assert [owner for owner, _ in callers.inside] == ["a", "b"]


@given(st.lists(st.tuples(st.sampled_from(["come", "leave", "cancel"]), st.sampled_from("abc"))))
async def test_nobody_is_forgotten(steps: list[tuple[str, str]]) -> None:
    callers = Callers(Shares(4, 3))
    for step, owner in steps:
        if step == "come":
            callers.come(owner)
        elif step == "leave":
            for one, leave in callers.inside:
                if one == owner:
                    leave.set()
                    break
        elif callers.tasks:
            callers.tasks.pop().cancel()
        await settle()
        counts = callers.counts()
        assert counts.total() <= 4
        assert max(counts.values(), default=0) <= 3
        assert callers.shares.taken == counts.total()
    for _ in range(len(steps) + 1):
        for _, leave in callers.inside:
            leave.set()
        await settle()
    assert all(task.done() for task in callers.tasks)
    assert callers.shares.taken == 0
