"""How fast OCI is called, for each principal and service: as fast as it lets us, the shared poll first.

OCI publishes no numbers, only 429. So the rate halves at each 429 and grows slowly while calls succeed (additive
increase, multiplicative decrease, as TCP does). A poll that waits goes before launches: what runs must be followed.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from enum import IntEnum

LEAST_RATE = 0.5
"""Calls a second that are made however much OCI throttles."""

_INSTANT = 1e-6
"""Seconds that nobody waits for: less is the rounding of what was waited for, and a timer for it would spin."""

_INCREASE = 0.1
_DECREASE = 0.5


class Lane(IntEnum):
    """Which calls go first; a lower number does."""

    POLL = 0
    WORK = 1


class RateLimit:
    """Lets callers through at a rate that adapts."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._rate = most
        self._tokens = max(1.0, most)
        self._filled_at: float | None = None
        self._paused_until = 0.0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def rate(self) -> float:
        """Calls a second that are let through now."""
        return self._rate

    async def acquire(self, lane: Lane) -> None:
        """Return when a call may be made."""
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (lane, next(self._order), ticket))
        self._pump()
        await ticket

    def succeeded(self) -> None:
        """Note that OCI answered without throttling."""
        self._rate = min(self._most, self._rate + _INCREASE)

    def throttled(self, retry_after_seconds: float | None) -> None:
        """Note that OCI answered 429: let through fewer, and none before OCI's own time is over."""
        self._rate = max(LEAST_RATE, self._rate * _DECREASE)
        self._tokens = min(self._tokens, 0.0)
        if retry_after_seconds is not None:
            now = asyncio.get_running_loop().time()
            self._paused_until = max(self._paused_until, now + retry_after_seconds)

    def _pump(self) -> None:
        """Let through whom there are tokens for, and come back when there is the next."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._filled_at is not None:
            grown = (now - self._filled_at) * self._rate
            self._tokens = min(max(1.0, self._rate), self._tokens + grown)
        self._filled_at = now
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            if self._waiting[0][2].cancelled():
                heapq.heappop(self._waiting)
                continue
            missing = max(self._paused_until - now, (1.0 - self._tokens) / self._rate)
            if missing > _INSTANT:
                self._timer = loop.call_later(missing, self._pump)
                return
            self._tokens -= 1.0
            heapq.heappop(self._waiting)[2].set_result(None)
