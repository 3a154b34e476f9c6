"""A process of the operator, as far as one object sees it: it does one thing at a time, and may end between any two.

An end forgets all but the API server's objects and OCI.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.api_server import ConflictError
from tests.unit.reconcile.simulation.laws import demand

from ocijobs.testing import ManualClock

MOST_STEPS = 80
"""More steps than this without a pause are a loop."""

LEASE_SECONDS = 15.0


class Process(ABC):
    """Decides, carries out the actions one by one, writes the status once, and decides again."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.skew = timedelta()
        self.write_mishap: str | None = None
        self.begin()

    def begin(self) -> None:
        """Begin anew, as after a crash."""
        self.wake_at: datetime | None = None
        self._todo: list[Callable[[], None]] = []
        self._decided_at = 0.0

    def set_clock(self, by: timedelta) -> None:
        """Have this process's clock set: what it remembers moves with it, and it decides anew."""
        self.skew += by
        self._step(by)

    @abstractmethod
    def _step(self, by: timedelta) -> None:
        """Have the times that this process noted move."""

    @abstractmethod
    def _decide(self) -> bool:
        """Decide, and note what is to be done; False where there is nothing."""

    @property
    def now(self) -> datetime:
        """The time as this process's machine has it."""
        return self._clock.now() + self.skew

    def work(self) -> None:
        """Go on until nothing is asked for."""
        for _ in range(MOST_STEPS):
            if not self.step():
                return
        demand(False, "carried out and observed again, a decision reaches a fixed point")

    def step(self) -> bool:
        """Do one thing; False where there is nothing to do."""
        if self._todo and self._clock.monotonic() - self._decided_at >= LEASE_SECONDS:
            # What a process decided before it was held up, it may not do after its lease: it ends.
            self.begin()
            return True
        if self._todo:
            self._todo.pop(0)()
            return True
        self._decided_at = self._clock.monotonic()
        return self._decide()

    def _written(self, write: Callable[[], None]) -> bool:
        """Write, and return whether the process knows that it is written."""
        mishap, self.write_mishap = self.write_mishap, None
        if mishap == "refused":
            return False
        try:
            write()
        except ConflictError:
            return False
        return mishap != "answer lost"
