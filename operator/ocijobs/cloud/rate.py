"""How fast OCI is called, for each principal and service: as fast as OCI allows, the shared poll first.

OCI publishes no limits, it only answers 429. So the rate halves at each 429 and grows slowly while calls succeed
(additive increase, multiplicative decrease, as in TCP). The poll goes before launches: active runs must be followed.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from dataclasses import dataclass
from enum import IntEnum

from ocijobs.clock import Clock

LEAST_RATE = 0.5
"""Lowest number of calls a second, however much OCI throttles."""

_INSTANT = 1e-6
"""Seconds below which a wait counts as none: it is a rounding error, and a timer for it would spin."""

_INCREASE = 0.1
_DECREASE = 0.5


class Lane(IntEnum):
    """Which calls go first; the lower number goes first."""

    POLL = 0
    WORK = 1


@dataclass(slots=True, kw_only=True)
class _Ticket:
    """A waiting caller: until when at most. `answer` gets the time that it would have to wait beyond that."""

    until: float | None
    answer: asyncio.Future[float | None]


class RateLimit:
    """Lets callers through at a rate that adapts."""

    def __init__(self, most: float, clock: Clock) -> None:
        self._most, self._clock = most, clock
        self._rate = most
        self._tokens = max(1.0, most)
        self._filled_at: float | None = None
        self._paused_until = 0.0
        self._waiting: list[tuple[int, int, _Ticket]] = []
        self._order = itertools.count()
        self._timer: asyncio.Task[None] | None = None

    @property
    def rate(self) -> float:
        """Present rate, in calls a second."""
        return self._rate

    @property
    def paused(self) -> bool:
        """Whether OCI itself asks to wait (Retry-After of a 429)."""
        return self._paused_until > self._clock.monotonic()

    @property
    def slowed(self) -> bool:
        """Whether 429s of OCI have reduced the rate."""
        return self._rate < self._most

    def opens_in(self, ahead: int = 0) -> float:
        """Return the seconds after which a new caller can be let through; 0 if it can at once.

        Args:
            ahead: how many callers come before it, besides those that wait here.
        """
        self._fill()
        wanted = 1.0 + ahead + sum(not ticket.answer.done() for _, _, ticket in self._waiting)
        pause = self._paused_until - self._clock.monotonic()
        seconds = max(pause, (wanted - self._tokens) / self._rate)
        return seconds if seconds > _INSTANT else 0.0

    async def acquire(self, lane: Lane, *, within: float | None = None) -> float | None:
        """Wait until a call may be made, and return None; or return how long that would take if it is too long.

        Args:
            lane: which callers go first.
            within: seconds to wait at most; None waits for as long as it takes.
        """
        seconds = self.opens_in()
        if within is not None and seconds > within:
            return seconds
        ticket = _Ticket(
            until=None if within is None else self._clock.monotonic() + within,
            answer=asyncio.get_running_loop().create_future(),
        )
        heapq.heappush(self._waiting, (lane, next(self._order), ticket))
        self._pump()
        return await ticket.answer

    def succeeded(self) -> None:
        """Note that OCI answered without a 429."""
        self._rate = min(self._most, self._rate + _INCREASE)

    def throttled(self, retry_after_seconds: float | None) -> None:
        """Note a 429 of OCI: reduce the rate, and let no call through before OCI's own time is over."""
        self._fill()
        self._rate = max(LEAST_RATE, self._rate * _DECREASE)
        self._tokens = min(self._tokens, 0.0)
        if retry_after_seconds is not None:
            until = self._clock.monotonic() + retry_after_seconds
            self._paused_until = max(self._paused_until, until)
        self._send_away()
        self._pump()

    def _send_away(self) -> None:
        """Tell the callers that can't wait for as long as it now takes."""
        opens_at = max(self._paused_until, self._clock.monotonic() + 1.0 / self._rate)
        for _, _, ticket in self._waiting:
            if ticket.until is not None and ticket.until < opens_at and not ticket.answer.done():
                ticket.answer.set_result(opens_at - self._clock.monotonic())

    def _fill(self) -> None:
        """Add the calls that have become possible by now."""
        now = self._clock.monotonic()
        if self._filled_at is not None:
            grown = (now - self._filled_at) * self._rate
            self._tokens = min(max(1.0, self._rate), self._tokens + grown)
        self._filled_at = now

    def _pump(self) -> None:
        """Let callers through as far as the rate allows, and set a timer for the next one."""
        self._fill()
        now = self._clock.monotonic()
        while self._waiting:
            answer = self._waiting[0][2].answer
            if answer.done():
                heapq.heappop(self._waiting)
                continue
            missing = max(self._paused_until - now, (1.0 - self._tokens) / self._rate)
            if missing > _INSTANT:
                self._come_back(missing)
                return
            self._tokens -= 1.0
            heapq.heappop(self._waiting)
            answer.set_result(None)

    def _come_back(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.create_task(self._later(seconds), name="pace of calls to OCI")

    async def _later(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._timer = None
        self._pump()
