"""How fast OCI is called, in virtual time."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cloud.virtual_time import LoopClock, run

from ocijobs.cloud.rate import LEAST_RATE, Lane, RateLimit


async def _let_through(limit: RateLimit, count: int, lane: Lane = Lane.WORK) -> list[float]:
    """Return when each of several callers, who come at once, is let through."""
    loop = asyncio.get_running_loop()
    times: list[float] = []

    async def one() -> None:
        await limit.acquire(lane)
        times.append(loop.time())

    await asyncio.gather(*(one() for _ in range(count)))
    return times


def test_a_burst_of_one_second_goes_at_once_and_the_rest_at_the_rate() -> None:
    times = run(_let_through(RateLimit(4, LoopClock()), 12))
    assert times[:4] == [0] * 4
    assert times[4:] == pytest.approx([0.25 * n for n in range(1, 9)])


def test_a_rate_below_one_lets_one_through_and_then_waits() -> None:
    assert run(_let_through(RateLimit(0.5, LoopClock()), 3)) == pytest.approx([0, 2, 4])


def test_what_was_not_used_is_kept_for_one_second_only() -> None:
    async def scenario() -> list[float]:
        limit = RateLimit(4, LoopClock())
        await _let_through(limit, 4)
        await asyncio.sleep(3600)
        return [at - 3600 for at in await _let_through(limit, 6)]

    assert run(scenario()) == pytest.approx([0, 0, 0, 0, 0.25, 0.5])


@given(
    most=st.floats(0.5, 50),
    arrivals=st.lists(st.tuples(st.floats(0, 10), st.sampled_from(Lane)), min_size=1, max_size=60),
)
def test_no_second_has_more_than_a_burst_beside_the_rate(
    most: float, arrivals: list[tuple[float, Lane]]
) -> None:
    async def scenario() -> list[float]:
        limit = RateLimit(most, LoopClock())
        times: list[float] = []

        async def one(at: float, lane: Lane) -> None:
            await asyncio.sleep(at)
            await limit.acquire(lane)
            times.append(asyncio.get_running_loop().time())

        await asyncio.gather(*(one(*arrival) for arrival in arrivals))
        return times

    times = run(scenario())
    assert len(times) == len(arrivals)
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            allowed = max(1.0, most) + most * (times[last] - start)
            assert last - first + 1 <= allowed + 1e-6 * len(times) + 1e-9


def test_a_poll_that_waits_goes_before_launches_that_came_earlier() -> None:
    async def scenario() -> list[str]:
        limit = RateLimit(1, LoopClock())
        order: list[str] = []

        async def one(name: str, lane: Lane) -> None:
            await limit.acquire(lane)
            order.append(name)

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(one(f"launch {number}", Lane.WORK))
            await asyncio.sleep(1.5)
            for number in range(2):
                group.create_task(one(f"poll {number}", Lane.POLL))
        return order

    assert run(scenario()) == ["launch 0", "launch 1", "poll 0", "poll 1", "launch 2", "launch 3"]


def test_the_rate_halves_at_each_429_and_grows_by_a_tenth_with_each_success() -> None:
    async def scenario() -> None:
        limit = RateLimit(20, LoopClock())
        limit.throttled(None)
        assert limit.rate == 10
        limit.succeeded()
        assert limit.rate == pytest.approx(10.1)
        for _ in range(20):
            limit.throttled(None)
        assert limit.rate == LEAST_RATE
        for _ in range(1000):
            limit.succeeded()
        assert limit.rate == 20

    run(scenario())


def test_after_a_429_nothing_is_left_of_the_burst() -> None:
    async def scenario() -> list[float]:
        limit = RateLimit(4, LoopClock())
        limit.throttled(None)
        return await _let_through(limit, 3)

    assert run(scenario()) == pytest.approx([0.5, 1.0, 1.5])


def test_nobody_goes_before_the_time_that_oci_asks_for_and_then_no_crowd_does() -> None:
    async def scenario() -> list[float]:
        limit = RateLimit(8, LoopClock())
        limit.throttled(30)
        limit.throttled(5)  # a shorter one ends nothing
        return await _let_through(limit, 4)

    times = run(scenario())
    assert times[0] == pytest.approx(30)
    assert times == pytest.approx([30, 30, 30.5, 31], abs=0.51)
    assert times[3] > 30


def test_a_429_also_holds_those_who_wait_already() -> None:
    async def scenario() -> list[float]:
        limit = RateLimit(1, LoopClock())
        await limit.acquire(Lane.WORK)
        waiting = asyncio.create_task(_let_through(limit, 1))
        await asyncio.sleep(0.5)
        limit.throttled(10)
        return await waiting

    assert run(scenario())[0] >= 10.5


def test_who_gives_up_takes_nobodys_place() -> None:
    async def scenario() -> list[float]:
        limit = RateLimit(1, LoopClock())
        await limit.acquire(Lane.WORK)
        gone = [asyncio.create_task(limit.acquire(Lane.POLL)) for _ in range(10)]
        waiting = asyncio.create_task(_let_through(limit, 2))
        await asyncio.sleep(0.5)
        for task in gone:
            task.cancel()
        return await waiting

    assert run(scenario()) == pytest.approx([1, 2])
