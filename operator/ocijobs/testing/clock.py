"""Time that passes when a test says so."""

from __future__ import annotations

import asyncio
import heapq
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count

from ocijobs.testing.resources import START


class ManualClock:
    """A clock (see `ocijobs.clock.Clock`) that stands still until it is advanced.

    What sleeps on it is woken in the order in which it wanted to wake. Wall time can be stepped, as NTP does it:
    monotonic time and sleepers don't notice.
    """

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._stepped = timedelta()
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the time in UTC."""
        return self._start + timedelta(seconds=self._elapsed) + self._stepped

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been advanced by that many seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many tasks wait for time to pass."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    @property
    def next_wake(self) -> float | None:
        """In how many seconds the first task is to be woken; None if none waits for time to pass."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return max(0.0, self._sleepers[0][0] - self._elapsed) if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake what is due; woken tasks run when the test awaits.

        Raises:
            ValueError: if time would go back, which `step` is for.
        """
        if seconds < 0:
            raise ValueError(
                f"can't advance by {seconds} s: use step() for a clock that is set back"
            )
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a time service does."""
        self._stepped += timedelta(seconds=seconds)


class ShiftedClock:
    """A clock (see `ocijobs.clock.Clock`) that runs, and jumps ahead when a test says so.

    For tests with real servers, whose answers take real time, and waits that would take minutes.
    """

    def __init__(self) -> None:
        self._shift = 0.0
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the time in UTC, and as much more as the clock was advanced."""
        return datetime.now(UTC) + timedelta(seconds=self._shift)

    def monotonic(self) -> float:
        """Return seconds since some fixed moment, and as many more."""
        return time.monotonic() + self._shift

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds, or as soon as the clock has jumped over them."""
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), left)

    def advance(self, seconds: float) -> None:
        """Let that much time pass at once, and wake what is due."""
        self._shift += seconds
        self._moved.set()
        self._moved = asyncio.Event()
