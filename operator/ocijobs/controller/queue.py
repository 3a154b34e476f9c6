"""The work queue: keys that are due. One worker at a time works on a key, and namespaces take turns.

As in client-go's queue, a key that is added while it waits is not added twice, a key that is added while it is worked
on comes again afterwards, and a key that fails comes again after growing pauses with jitter. In addition the queue is
fair: namespaces take turns, and none has more workers than are left for the others, so other namespaces do not wait for
ten thousand keys of one.
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
    """The queue is closed: it returns no more keys."""


class WorkQueue:
    """Keys to be reconciled."""

    def __init__(self, clock: Clock, *, workers: int = WORKERS) -> None:
        """Make an empty queue for this number of workers."""
        self._clock, self._most = clock, workers
        self._ready: dict[str, deque[ObjectKey]] = {}
        """Keys by namespace; the namespace whose turn it is comes first."""
        self._waiting: set[ObjectKey] = set()
        self._busy: set[ObjectKey] = set()
        self._again: set[ObjectKey] = set()
        self._workers: Counter[str] = Counter()
        """Number of busy workers, by namespace."""
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
        """How many keys are being worked on, including those that wait for an answer."""
        return len(self._busy)

    @property
    def workers(self) -> int:
        """How many workers are busy."""
        return self._workers.total()

    def add(self, key: ObjectKey) -> None:
        """Queue the key: it is worked on when its namespace has its turn and a worker is free."""
        if key in self._busy:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.setdefault(key.namespace, deque()).append(key)
            self._hand_out()

    def add_after(self, key: ObjectKey, seconds: float) -> None:
        """Queue the key after some seconds; an earlier time that was requested before stays."""
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
        """Queue the key again after a failure, with longer pauses each time until `forget`.

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
        """Return the next key, and give it a worker. The caller must call `done` for it.

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
        """Free the key's worker for other keys while the context is open. No other worker gets the key.

        Raises:
            QueueClosedError: never; work that has begun is completed.
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
        """Return no more keys."""
        self._closed = True
        for getter in self._getters:
            if not getter.done():
                getter.set_exception(QueueClosedError())
        self._getters.clear()

    async def run(self) -> None:
        """Queue keys when they are due. Runs for as long as the queue is used."""
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
        """Note a worker that is free."""
        self._workers[namespace] -= 1
        if not self._workers[namespace]:
            del self._workers[namespace]
        self._hand_out()

    def _may_work(self, namespace: str) -> bool:
        """Whether the namespace may have one more worker: at most as many as are left for the others."""
        has, taken = self._workers[namespace], self._workers.total()
        return taken < self._most and (has == 0 or has < self._most - taken)

    def _hand_out(self) -> None:
        """Give workers to keys whose answer has come, and then to keys whose turn it is."""
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
        """Take the next key of the next namespace that may have a worker."""
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
