"""The clock of tests tells when something is to be done next."""

import asyncio

import pytest

from ocijobs.testing import ManualClock

pytestmark = pytest.mark.asyncio


async def test_the_next_wake_is_that_of_the_first_who_still_waits() -> None:
    clock = ManualClock()
    assert clock.next_wake is None
    later, sooner = (asyncio.create_task(clock.sleep(seconds)) for seconds in (30, 10))
    await asyncio.sleep(0)
    assert clock.next_wake == 10
    sooner.cancel()
    await asyncio.sleep(0)
    assert clock.next_wake == 30
    clock.advance(20)
    assert clock.next_wake == 10
    clock.advance(10)
    await later
    assert clock.next_wake is None
