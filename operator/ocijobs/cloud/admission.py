"""Whose turn it is to call OCI. A worker asks before it begins, and a caller that waits keeps nothing that others need.

If it is not an object's turn, its key waits in the line of its principal and service. The line wakes one key for each
call that may be made, so ten thousand waiting objects cost no rounds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from ocijobs.clock import Clock, wait_for
from ocijobs.cloud.clients import Service
from ocijobs.cloud.credentials import IdentityKey
from ocijobs.reconcile.actions.calls import Turn

CallerT = TypeVar("CallerT", bound=Hashable)


class Pace(Protocol):
    """How fast a principal may call a service."""

    @property
    def paused(self) -> bool:
        """Whether OCI itself asks to wait."""
        ...

    @property
    def slowed(self) -> bool:
        """Whether 429s of OCI have reduced the rate."""
        ...

    @property
    def rate(self) -> float:
        """Calls a second."""
        ...

    def opens_in(self, ahead: int = 0) -> float:
        """Return the seconds after which a new caller could call."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where objects queue up. The calls of one principal to one service have a rate of their own."""

    identity: IdentityKey
    service: Service


class Admission(Generic[CallerT]):
    """Admits callers to places: each waits in the line of its place.

    Args:
        each: calls of one principal that are under way at the same time.
        pace: returns how fast a place may be called.
        clock: for the times at which lines move on.
        wake: called with each caller whose turn has come; that caller enters again.
    """

    def __init__(
        self,
        *,
        each: int,
        pace: Callable[[Place], Pace],
        clock: Clock,
        wake: Callable[[CallerT], None],
    ) -> None:
        self._each, self._pace, self._clock, self._wake = each, pace, clock, wake
        self._under_way: Counter[Hashable] = Counter()
        self._lines: dict[Place, dict[CallerT, None]] = {}
        self._called: dict[CallerT, Place] = {}
        self._places: dict[CallerT, set[Place]] = {}
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many callers wait for their turn."""
        return sum(map(len, self._lines.values()))

    def enter(self, caller: CallerT, place: Place) -> Turn | None:
        """Admit a caller, which calls `leave` when it has its answer; or put it in line, and return when to call."""
        if self._called.get(caller) == place:
            # What was kept for it is its own now.
            del self._called[caller]
            return None
        if not self._lines.get(place) and self._open(place):
            self._under_way[place.identity] += 1
            return None
        line = self._lines.setdefault(place, {})
        line.setdefault(caller)
        self._places.setdefault(caller, set()).add(place)
        self._changed.set()
        return self._turn(place, len(line) - 1)

    def leave(self, place: Place) -> None:
        """Note that an admitted call has its answer."""
        self._release(place)
        self._move_on()

    def give_up(self, caller: CallerT, keep: frozenset[Place] = frozenset()) -> None:
        """Remove a caller from all lines but those in `kept`: it has no use for a turn there."""
        for place in self._places.get(caller, set()) - keep:
            self._remove(caller, place)
        if caller in self._called and self._called[caller] not in keep:
            self._release(self._called.pop(caller))
            self._move_on()

    async def run(self) -> None:
        """Move the lines on when it is time. Runs for as long as callers are admitted."""
        while True:
            self._changed.clear()
            self._move_on()
            pauses = [self._opens_in(place) for place, line in self._lines.items() if line]
            timed = [seconds for seconds in pauses if seconds > 0]
            await wait_for(self._changed, self._clock, min(timed, default=None))

    def _open(self, place: Place) -> bool:
        return self._under_way[place.identity] < self._each and self._opens_in(place) <= 0

    def _opens_in(self, place: Place) -> float:
        """Return when the rate allows another caller, besides those that were called already."""
        ahead = sum(called == place for called in self._called.values())
        return self._pace(place).opens_in(ahead)

    def _move_on(self) -> None:
        """Wake the callers whose turn has come."""
        for place, line in list(self._lines.items()):
            while line and self._open(place):
                caller = next(iter(line))
                if caller in self._called:
                    # It is called to another place already, and will come back here.
                    break
                self._remove(caller, place)
                self._called[caller] = place
                self._under_way[place.identity] += 1
                self._wake(caller)

    def _remove(self, caller: CallerT, place: Place) -> None:
        line, places = self._lines[place], self._places[caller]
        del line[caller]
        if not line:
            del self._lines[place]
        places.discard(place)
        if not places:
            del self._places[caller]

    def _release(self, place: Place) -> None:
        self._under_way[place.identity] -= 1
        if not self._under_way[place.identity]:
            del self._under_way[place.identity]
        self._changed.set()

    def _turn(self, place: Place, ahead: int) -> Turn:
        pace = self._pace(place)
        seconds = pace.opens_in() + ahead / pace.rate
        return Turn(at=_rounded(self._clock.now(), seconds), throttled=pace.paused or pace.slowed)


def _rounded(now: datetime, seconds: float) -> datetime:
    """Return a time after `now` in whole seconds."""
    at = now + timedelta(seconds=seconds)
    return at.replace(microsecond=0) + timedelta(seconds=1) if at.microsecond else at
