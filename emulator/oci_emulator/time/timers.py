"""What happens by itself: one heap of due times for all resources, and no task for any of them."""

import asyncio
import heapq
import itertools
import logging
import math
from collections.abc import Callable

from oci_emulator.state.database import Database
from oci_emulator.state.resources import Resource, Resources
from oci_emulator.time.clock import Clock

Step = Callable[[Resource, float], None]
"""Moves a resource on; the second argument is the time at which it was due."""

_BATCH = 100
"""How many resources are moved on before requests get their turn."""

_logger = logging.getLogger(__name__)


class Timers:
    """Calls a kind's step for each resource whose ``due`` has come, in the order of the times.

    A step gets the time at which it was due, not the time now: who advances the clock by an hour
    sees the whole hour happen, each change with its own time.
    """

    def __init__(self, clock: Clock, database: Database, resources: Resources) -> None:
        self._clock = clock
        self._database = database
        self._resources = resources
        self._steps: dict[str, Step] = {}
        self._heap: list[tuple[float, int, str, str]] = []
        self._order = itertools.count()
        self._armed: asyncio.Handle | None = None
        self._running = False

    def on_due(self, kind: str, step: Step) -> None:
        """Register the step of a kind."""
        self._steps[kind] = step

    def start(self) -> None:
        """Take up what was due when an earlier process ended, and go on from there."""
        for due, kind, ocid in self._resources.due():
            heapq.heappush(self._heap, (due, next(self._order), kind, ocid))
        self._running = True
        self._clock.on_change(self._arm)
        self._arm()

    def stop(self) -> None:
        """Move nothing any more."""
        self._running = False
        if self._armed is not None:
            self._armed.cancel()

    def schedule(self, resource: Resource) -> None:
        """Note the due time of a resource that was added or saved."""
        if resource.due is None:
            return
        heapq.heappush(self._heap, (resource.due, next(self._order), resource.kind, resource.id))
        if self._heap[0][3] == resource.id:
            self._arm()

    def _arm(self) -> None:
        """Ask the event loop for a call when the first of the heap is due."""
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
        if not (self._running and self._heap):
            return
        delay = self._clock.real_seconds_until(self._heap[0][0])
        if math.isfinite(delay):
            self._armed = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        now = self._clock.now()
        for _ in range(_BATCH):
            if not self._heap or self._heap[0][0] > now:
                break
            due, _, kind, ocid = heapq.heappop(self._heap)
            self._move(due, kind, ocid)
        self._database.commit()
        self._arm()

    def _move(self, due: float, kind: str, ocid: str) -> None:
        resource = self._resources.get(kind, ocid)
        if resource is None or resource.due != due:
            return
        try:
            with self._database.atomic():
                self._steps[kind](resource, due)
        except Exception:
            _logger.exception("%s cannot go on with what was due: it stays as it is", ocid)
