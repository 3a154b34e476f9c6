"""What goes wrong between the operator and OCI, by command of a history."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.testing import ManualClock

LATE_SECONDS = 45.0
"""After how long a request that timed out may still be carried out."""

T = TypeVar("T")


class Mishap(StrEnum):
    """What becomes of one call."""

    DROPPED = "carried out, the answer is lost"
    LOST = "never arrived"
    LATE = "timed out, carried out later"
    THROTTLED = "refused: 429"
    NOT_FOUND = "refused: 404"
    CREDENTIALS = "refused: 401"
    QUOTA = "refused: quota"
    CONFLICT = "refused: 409"
    INVALID = "refused: 400"

    def __repr__(self) -> str:
        """Show as it is written in a history."""
        return f"Mishap.{self.name}"


_KINDS = {
    Mishap.DROPPED: RefusalKind.UNAVAILABLE,
    Mishap.LOST: RefusalKind.UNAVAILABLE,
    Mishap.LATE: RefusalKind.UNAVAILABLE,
    Mishap.THROTTLED: RefusalKind.THROTTLED,
    Mishap.NOT_FOUND: RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
    Mishap.CREDENTIALS: RefusalKind.CREDENTIALS,
    Mishap.QUOTA: RefusalKind.QUOTA,
    Mishap.CONFLICT: RefusalKind.CONFLICT,
    Mishap.INVALID: RefusalKind.INVALID,
}

_CARRIED_OUT = frozenset({Mishap.DROPPED, Mishap.LATE})


class Weather:
    """Decides what becomes of each call: mishaps of single calls, and lasting ones of an operation."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._next: dict[Operation, deque[Mishap]] = defaultdict(deque)
        self._lasting: dict[Operation, Mishap] = {}
        self._late: list[tuple[datetime, Callable[[], object]]] = []
        self.refused: set[RefusalKind] = set()

    def strike(self, operation: Operation, mishap: Mishap) -> None:
        """Let the next call of `operation` meet with `mishap`."""
        self._next[operation].append(mishap)

    def last(self, operation: Operation, mishap: Mishap) -> None:
        """Let every call of `operation` meet with `mishap` until the weather clears."""
        self._lasting[operation] = mishap

    def clear(self) -> None:
        """Let everything work; what is still under way arrives."""
        self._next.clear()
        self._lasting.clear()

    def call(self, operation: Operation, carry_out: Callable[[], T | Refusal]) -> T | Refusal:
        """Return OCI's answer to a call, or why there is none."""
        queue = self._next[operation]
        mishap = queue.popleft() if queue else self._lasting.get(operation)
        if mishap is None:
            return carry_out()
        if mishap is Mishap.DROPPED:
            carry_out()
        elif mishap is Mishap.LATE:
            self._late.append((self._clock.now() + timedelta(seconds=LATE_SECONDS), carry_out))
        self.refused.add(_KINDS[mishap])
        return Refusal(kind=_KINDS[mishap], message=mishap.value)

    def next_arrival(self) -> datetime | None:
        """Return when the next late request arrives."""
        return min((at for at, _ in self._late), default=None)

    def arrive(self) -> None:
        """Carry out the late requests whose time has come."""
        now = self._clock.now()
        due = [item for item in self._late if item[0] <= now]
        self._late = [item for item in self._late if item[0] > now]
        for _, carry_out in due:
            carry_out()

    def advance(self, seconds: float) -> None:
        """Let time pass; requests that were under way arrive in it."""
        end = self._clock.now() + timedelta(seconds=seconds)
        while (at := self.next_arrival()) is not None and at <= end:
            self._clock.advance(max(0.0, (at - self._clock.now()).total_seconds()))
            self.arrive()
        self._clock.advance(max(0.0, (end - self._clock.now()).total_seconds()))
