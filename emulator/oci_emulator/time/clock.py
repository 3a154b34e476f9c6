"""The emulator's own time, which can be advanced, slowed, sped up and stopped.

It moves what the services do by themselves: lifecycles, lags, expiry. What clients measure on
their own clocks (request dates, the expiry of security tokens) is held against real time.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A point from which the clock's time is computed: at ``real`` it showed ``shown``."""

    real: float
    shown: float
    rate: float


class Clock:
    """Seconds since the epoch, as the emulated services see them.

    Args:
        reading: where an earlier process left the clock; time has passed since, at its rate.
        source: real time in seconds since the epoch.
    """

    def __init__(
        self, reading: Reading | None = None, source: Callable[[], float] = time.time
    ) -> None:
        self._source = source
        now = source()
        self._reading = reading or Reading(real=now, shown=now, rate=1.0)
        self._changed = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    @property
    def reading(self) -> Reading:
        """What a later process needs to go on with this time."""
        return self._reading

    @property
    def rate(self) -> float:
        """How many seconds pass in one real second; 0 stops the clock."""
        return self._reading.rate

    def now(self) -> float:
        """The time now."""
        reading = self._reading
        return reading.shown + (self._source() - reading.real) * reading.rate

    def of_clients(self) -> float:
        """Return seconds as clients count them, from any beginning.

        They are real ones where the clock is as fast as real time or faster: that makes no client faster. Where it is
        slower, or stands still and is moved, clients are moved with it.
        """
        return self._source() if self.rate >= 1 else self.now()

    def advance(self, seconds: float) -> None:
        """Let the seconds pass at once.

        Raises:
            ValueError: the seconds are negative or no number.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"seconds to advance must be 0 or more, not {seconds}")
        self._set(self.now() + seconds, self.rate)

    def set_rate(self, rate: float) -> None:
        """From now on, let ``rate`` seconds pass in a real second.

        Raises:
            ValueError: the rate is negative or no number.
        """
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(f"a clock's rate must be 0 or more, not {rate}")
        self._set(self.now(), rate)

    def _set(self, shown: float, rate: float) -> None:
        self._reading = Reading(real=self._source(), shown=shown, rate=rate)
        self._changed.set()
        self._changed = asyncio.Event()
        for listener in self._listeners:
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call the listener whenever the clock was advanced or got another rate."""
        self._listeners.append(listener)

    def real_seconds_until(self, moment: float) -> float:
        """How long in real time until the clock shows the moment; infinite if it stands still."""
        remaining = max(0.0, moment - self.now())
        if remaining == 0:
            return 0.0
        return remaining / self.rate if self.rate else math.inf

    async def sleep_until(self, moment: float) -> None:
        """Return when the clock shows the moment or later, however it got there."""
        while (real := self.real_seconds_until(moment)) > 0:
            await self._change_or(real)

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has moved on by the seconds."""
        await self.sleep_until(self.now() + seconds)

    async def _change_or(self, real_seconds: float) -> None:
        try:
            async with asyncio.timeout(None if math.isinf(real_seconds) else real_seconds):
                await self._changed.wait()
        except TimeoutError:
            return


def timestamp(moment: float) -> str:
    """RFC 3339 in UTC with milliseconds, as OCI writes times."""
    return (
        datetime.fromtimestamp(moment, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
