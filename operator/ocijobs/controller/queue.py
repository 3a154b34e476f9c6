"""The work queue: keys that are due, each worked on by one worker at a time, those of all namespaces in turn.

As client-go's: a key that is added while it waits is not added twice; one that is added while it is worked on comes
again afterwards; one that fails comes again later and later, jittered. And it is fair: the namespaces take turns, and
none has more workers than are left for the others, so that ten thousand keys of one are waited for by nobody else.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.clock import Clock, wait_for

FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 60.0
WORKERS = 16


class QueueClosedError(Exception):
    """No more keys are handed out."""


class WorkQueue:
    """Keys to be reconciled."""

    def __init__(self, clock: Clock, *, workers: int = WORKERS) -> None:
        """Make an empty queue for so many workers."""
        self._clock, self._most = clock, workers
        self._ready: dict[str, deque[ObjectKey]] = {}
        """Keys by namespace; whose turn it is comes first."""
        self._waiting: set[ObjectKey] = set()
        self._busy: set[ObjectKey] = set()
        self._again: set[ObjectKey] = set()
        self._workers: Counter[str] = Counter()
        """Workers that are at work, by namespace."""
        self._getters: deque[asyncio.Future[ObjectKey]] = deque()
        self._returning: deque[tuple[str, asyncio.Future[None]]] = deque()
        self._due: dict[ObjectKey, float] = {}
        self._heap: list[tuple[float, int, ObjectKey]] = []
        self._order = itertools.count()
        self._failures: dict[ObjectKey, int] = {}
        self._rescheduled = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def active(self) -> int:
        """How many keys are worked on, those that wait for an answer among them."""
        return len(self._busy)

    @property
    def workers(self) -> int:
        """How many workers are at work."""
        return self._workers.total()

    def add(self, key: ObjectKey) -> None:
        """Have the key worked on as soon as it is its namespace's turn and a worker is free."""
        if key in self._busy:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.setdefault(key.namespace, deque()).append(key)
            self._hand_out()

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

    def retry(self, key: ObjectKey) -> tuple[int, float]:
        """Have the key worked on again after a failure, later each time until `forget`.

        Return how often it has failed, and in how many seconds it is worked on again.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        ceiling = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures, 16))
        seconds = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter
        self.add_after(key, seconds)
        return failures + 1, seconds

    def forget(self, key: ObjectKey) -> None:
        """Note that the key was worked on without failure."""
        self._failures.pop(key, None)

    async def get(self) -> ObjectKey:
        """Return the next key, and give it a worker; `done` must be called for it.

        Raises:
            QueueClosedError: when the queue is closed.
        """
        if self._closed:
            raise QueueClosedError
        getter: asyncio.Future[ObjectKey] = asyncio.get_running_loop().create_future()
        self._getters.append(getter)
        self._hand_out()
        try:
            return await getter
        except asyncio.CancelledError:
            if getter.done() and not getter.cancelled() and getter.exception() is None:
                # It was handed out to nobody.
                self.add(getter.result())
                self.done(getter.result())
            raise

    def done(self, key: ObjectKey) -> None:
        """Note that the work on the key has ended."""
        self._busy.discard(key)
        self._free(key.namespace)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    @asynccontextmanager
    async def waiting_for_answer(self, key: ObjectKey) -> AsyncIterator[None]:
        """Let the key's worker work on others for as long as the context lasts; the key stays with nobody else.

        Raises:
            QueueClosedError: never; what has begun is brought to an end.
        """
        self._free(key.namespace)
        try:
            yield
        finally:
            returning: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._returning.append((key.namespace, returning))
            self._hand_out()
            try:
                await returning
            except asyncio.CancelledError:
                if not returning.done() or returning.cancelled():
                    # `done` gives back a worker, which it has to have for that.
                    self._workers[key.namespace] += 1
                raise

    async def close(self) -> None:
        """Hand out no more keys."""
        self._closed = True
        for getter in self._getters:
            if not getter.done():
                getter.set_exception(QueueClosedError())
        self._getters.clear()

    async def run(self) -> None:
        """Hand out keys when they are due. Runs for as long as the queue is used."""
        while True:
            self._rescheduled.clear()
            now = self._clock.monotonic()
            while self._heap and self._heap[0][0] <= now:
                due, _, key = heapq.heappop(self._heap)
                if self._due.get(key) == due:
                    del self._due[key]
                    self.add(key)
            await wait_for(
                self._rescheduled, self._clock, self._heap[0][0] - now if self._heap else None
            )

    def _free(self, namespace: str) -> None:
        """Take note of a worker that has nothing to do."""
        self._workers[namespace] -= 1
        if not self._workers[namespace]:
            del self._workers[namespace]
        self._hand_out()

    def _may_work(self, namespace: str) -> bool:
        """Whether the namespace may have one more worker: no more than are left for the others."""
        has, taken = self._workers[namespace], self._workers.total()
        return taken < self._most and (has == 0 or has < self._most - taken)

    def _hand_out(self) -> None:
        """Give workers to keys whose answer has come, and then to those whose turn it is."""
        for _ in range(len(self._returning)):
            namespace, returning = self._returning.popleft()
            if returning.done():
                continue
            if self._may_work(namespace):
                self._workers[namespace] += 1
                returning.set_result(None)
            else:
                self._returning.append((namespace, returning))
        while self._getters and not self._closed:
            if self._getters[0].done():
                self._getters.popleft()
            elif (key := self._next()) is not None:
                self._getters.popleft().set_result(key)
            else:
                return

    def _next(self) -> ObjectKey | None:
        """Take the next key of the namespace whose turn it is, and which may have a worker."""
        for namespace in self._ready:
            if self._may_work(namespace):
                break
        else:
            return None
        # To the end of the line: the others come first now.
        line = self._ready.pop(namespace)
        key = line.popleft()
        if line:
            self._ready[namespace] = line
        self._workers[namespace] += 1
        self._waiting.discard(key)
        self._busy.add(key)
        # What was planned for later is decided anew now.
        self._due.pop(key, None)
        return key
