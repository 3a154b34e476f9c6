"""The clock that the shell reads. Tests put their own in its place (`ocijobs.testing`)."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for what is written and compared, monotonic time for what must not jump."""

    def now(self) -> datetime:
        """Return the time, in UTC and with whole seconds where it is written."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some fixed moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)


async def wait_for(event: asyncio.Event, clock: Clock, seconds: float | None) -> None:
    """Return when the event is set, or after that many seconds; None waits for the event alone."""
    waiters: list[asyncio.Task[object]] = [asyncio.create_task(_set(event))]
    if seconds is not None:
        waiters.append(asyncio.create_task(_slept(clock, seconds)))
    try:
        await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()


async def _set(event: asyncio.Event) -> object:
    return await event.wait()


async def _slept(clock: Clock, seconds: float) -> object:
    await clock.sleep(seconds)
    return None
