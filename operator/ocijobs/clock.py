"""The clock that the shell reads. Tests put their own in its place (`ocijobs.testing`)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

_LOG = logging.getLogger(__name__)


class Clock(Protocol):
    """Wall time for what is written or compared with what others wrote, monotonic time for what must not jump."""

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


_SLEWED_SECONDS = 30.0
"""Less than this is a clock that is kept right, and no clock that was set."""


class StepAwareClock:
    """A clock that tells when its wall time was set, before anybody reads the new one. For one thread.

    So nothing that was read before is compared with what is read after without having been moved.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = self._wall_ahead()
        self._listeners: list[Callable[[timedelta], None]] = []

    def listen(self, listener: Callable[[timedelta], None]) -> None:
        """Have `listener` told by how much the clock was set forward (negative: back)."""
        self._listeners.append(listener)

    def now(self) -> datetime:
        """Return the time in UTC."""
        ahead = self._wall_ahead()
        by = ahead - self._ahead
        if abs(by) > _SLEWED_SECONDS:
            self._ahead = ahead
            _LOG.warning("the clock was set by %.0f s", by)
            for listener in self._listeners:
                listener(timedelta(seconds=by))
        return self._clock.now()

    def monotonic(self) -> float:
        """Return seconds since some fixed moment; never goes back."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await self._clock.sleep(seconds)

    def _wall_ahead(self) -> float:
        """Return by how many seconds the wall clock is ahead of the one that nobody sets."""
        return self._clock.now().timestamp() - self._clock.monotonic()


def wall_time(clock: Clock, moment: float) -> datetime:
    """Return the wall time of a moment of the monotonic clock, by the wall clock as it is now.

    A wall time that is kept over an `await` may be of a clock that was set meanwhile.
    """
    return clock.now() - timedelta(seconds=clock.monotonic() - moment)


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
