"""The work queue: keys that are due, each worked on by one worker at a time.

As client-go's: a key that is added while it waits is not added twice; one that is added while it is worked on comes
again afterwards; one that fails comes again later and later, jittered.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections import deque

from ocijobs.api.metadata import ObjectKey
from ocijobs.clock import Clock, wait_for

FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 60.0


class QueueClosedError(Exception):
    """No more keys are handed out."""


class WorkQueue:
    """Keys to be reconciled."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[ObjectKey] = deque()
        self._waiting: set[ObjectKey] = set()
        self._busy: set[ObjectKey] = set()
        self._again: set[ObjectKey] = set()
        self._due: dict[ObjectKey, float] = {}
        self._heap: list[tuple[float, int, ObjectKey]] = []
        self._order = itertools.count()
        self._failures: dict[ObjectKey, int] = {}
        self._available = asyncio.Condition()
        self._rescheduled = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def active(self) -> int:
        """How many keys are worked on."""
        return len(self._busy)

    def add(self, key: ObjectKey) -> None:
        """Have the key worked on as soon as a worker is free."""
        if key in self._busy:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._rescheduled.set()

    def add_after(self, key: ObjectKey, seconds: float) -> None:
        """Have the key worked on after a while; an earlier time that was asked for stands."""
        if seconds <= 0:
            self.add(key)
            return
        due = self._clock.monotonic() + seconds
        if key in self._due and self._due[key] <= due:
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._rescheduled.set()

    def retry(self, key: ObjectKey) -> None:
        """Have the key worked on again after a failure: later each time, until `forget`."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        ceiling = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures, 16))
        self.add_after(key, random.uniform(ceiling / 2, ceiling))  # noqa: S311 - jitter

    def forget(self, key: ObjectKey) -> None:
        """Note that the key was worked on without failure."""
        self._failures.pop(key, None)

    async def get(self) -> ObjectKey:
        """Return the next key; `done` must be called for it.

        Raises:
            QueueClosedError: when the queue is closed.
        """
        async with self._available:
            while not (self._ready or self._closed):
                await self._available.wait()
            if self._closed:
                raise QueueClosedError
            key = self._ready.popleft()
        self._waiting.discard(key)
        self._busy.add(key)
        # What was planned for later is decided anew now.
        self._due.pop(key, None)
        return key

    def done(self, key: ObjectKey) -> None:
        """Note that the work on the key has ended."""
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def close(self) -> None:
        """Hand out no more keys."""
        async with self._available:
            self._closed = True
            self._available.notify_all()

    async def run(self) -> None:
        """Hand keys to workers when they are due. Runs for as long as the queue is used."""
        while True:
            self._rescheduled.clear()
            now = self._clock.monotonic()
            while self._heap and self._heap[0][0] <= now:
                due, _, key = heapq.heappop(self._heap)
                if self._due.get(key) == due:
                    del self._due[key]
                    self.add(key)
            if self._ready:
                async with self._available:
                    self._available.notify(len(self._ready))
            await wait_for(
                self._rescheduled, self._clock, self._heap[0][0] - now if self._heap else None
            )
