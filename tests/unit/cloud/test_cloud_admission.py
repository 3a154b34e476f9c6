"""Whose turn it is to call OCI: nobody is lost in a line, no round is for nothing, no principal holds another."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.cloud.admission import Admission, Place
from ocijobs.cloud.clients import Service
from ocijobs.cloud.credentials import IdentityKey
from ocijobs.cloud.rate import Lane, RateLimit
from ocijobs.testing import START, ManualClock

pytestmark = pytest.mark.asyncio


def place(namespace: str, service: Service = Service.DATA_SCIENCE) -> Place:
    return Place(IdentityKey(kind="OCIIdentity", namespace=namespace, name="default"), service)


A, B = place("team-a"), place("team-b")


class Turns:
    """Lines whose clock moves when the test says so, and who was called."""

    def __init__(self, *, each: int = 2, rate: float = 1.0) -> None:
        self.clock = ManualClock()
        self.rates: dict[Place, RateLimit] = {}
        self.called: list[str] = []
        self._rate = rate
        self.admission: Admission[str] = Admission(
            each=each, pace=self.pace, clock=self.clock, wake=self.called.append
        )
        self.task = asyncio.create_task(self.admission.run())

    def pace(self, where: Place) -> RateLimit:
        if where not in self.rates:
            self.rates[where] = RateLimit(self._rate, self.clock)
        return self.rates[where]

    async def enter(self, caller: str, where: Place = A) -> bool:
        """Return whether the caller was admitted; then its call takes what the rate has."""
        if self.admission.enter(caller, where) is not None:
            return False
        assert await self.pace(where).acquire(Lane.WORK, within=0) is None, "the turn was its own"
        return True

    async def advance(self, seconds: float) -> None:
        await settle()
        self.clock.advance(seconds)
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_who_comes_first_is_called_first_and_only_when_it_is_time() -> None:
    turns = Turns()
    assert [await turns.enter(name) for name in ("a", "b", "c")] == [True, False, False]
    turns.admission.leave(A)
    await turns.advance(0.9)
    assert turns.called == []
    await turns.advance(0.2)
    assert turns.called == ["b"]
    # Who was not called comes for something else, and is not admitted before its turn.
    assert not await turns.enter("c")
    assert await turns.enter("b")
    await turns.advance(1.0)
    assert turns.called == ["b", "c"]


async def test_no_more_are_under_way_than_may_be() -> None:
    turns = Turns(rate=100)
    assert [await turns.enter(name) for name in ("a", "b", "c")] == [True, True, False]
    await turns.advance(60)
    assert turns.called == []
    turns.admission.leave(A)
    assert turns.called == ["c"]
    assert await turns.enter("c")


async def test_a_429_of_one_holds_none_of_another() -> None:
    turns = Turns()
    turns.pace(A).throttled(45)
    turn = turns.admission.enter("a", A)
    assert turn is not None
    assert turn.throttled
    assert turn.at == START + timedelta(seconds=45)
    assert await turns.enter("b", B)
    turns.admission.leave(B)
    await turns.advance(44)
    assert turns.called == []
    await turns.advance(2)
    assert turns.called == ["a"]


async def test_who_has_no_use_for_a_turn_gives_it_to_the_next() -> None:
    turns = Turns(each=1)
    assert await turns.enter("a")
    for name in ("b", "c", "d"):
        assert not await turns.enter(name)
    turns.admission.give_up("c")
    await turns.advance(5)
    turns.admission.leave(A)
    assert turns.called == ["b"]
    turns.admission.give_up("b")
    assert turns.called == ["b", "d"]
    assert turns.admission.waiting == 0


async def test_thousands_that_wait_are_called_once_each() -> None:
    turns = Turns(each=8, rate=10)
    names = [f"run-{number}" for number in range(2000)]
    waiting = [name for name in names if not await turns.enter(name)]
    for _ in range(len(names) - len(waiting)):
        turns.admission.leave(A)
    seen = 0
    for _ in range(400):
        await turns.advance(1)
        while seen < len(turns.called):
            assert await turns.enter(turns.called[seen])
            turns.admission.leave(A)
            turns.admission.give_up(turns.called[seen])
            seen += 1
            await settle()
    assert turns.called == waiting


class Crowd:
    """Callers that come, stay while they call, and come again when they are called."""

    def __init__(self) -> None:
        self.turns = Turns(each=2, rate=2)
        self.wanted: dict[str, Place] = {}
        self.inside: dict[str, Place] = {}

    async def come(self, caller: str, where: Place) -> None:
        if caller in self.inside:
            return
        if await self.turns.enter(caller, where):
            self.wanted.pop(caller, None)
            self.inside[caller] = where
            self.turns.admission.give_up(caller)
        else:
            self.wanted[caller] = where
            self.turns.admission.give_up(caller, frozenset({where}))
        bound = Counter(each.identity for each in self.inside.values())
        assert max(bound.values(), default=0) <= 2

    def leave(self, caller: str) -> None:
        if caller in self.inside:
            self.turns.admission.leave(self.inside.pop(caller))

    def give_up(self, caller: str) -> None:
        if caller not in self.inside:
            self.turns.admission.give_up(caller)
            self.wanted.pop(caller, None)

    async def step(self, step: str, caller: str, where: Place) -> None:
        match step:
            case "enter":
                await self.come(caller, where)
            case "leave":
                self.leave(caller)
            case "give up":
                self.give_up(caller)
            case "429":
                self.turns.pace(where).throttled(3)
            case _:
                await self.turns.advance(1)

    async def go_on(self) -> None:
        """Let everybody who is inside leave, time pass, and who is called come."""
        for caller in list(self.inside):
            self.leave(caller)
        await self.turns.advance(1)
        called, self.turns.called[:] = list(dict.fromkeys(self.turns.called)), []
        for caller in called:
            if caller in self.wanted:
                await self.come(caller, self.wanted[caller])
            else:
                self.turns.admission.give_up(caller)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["enter", "leave", "give up", "pass", "429"]),
            st.sampled_from("abcd"),
            st.sampled_from([A, B, place("team-a", Service.OBJECT_STORAGE)]),
        ),
        max_size=60,
    )
)
async def test_everybody_who_waits_gets_a_turn(steps: list[tuple[str, str, Place]]) -> None:
    crowd = Crowd()
    for step in steps:
        await crowd.step(*step)
    rounds = 0
    while crowd.wanted or crowd.turns.admission.waiting:
        await crowd.go_on()
        rounds += 1
        assert rounds < 60, "everybody gets a turn"
