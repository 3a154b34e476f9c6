"""The places for runs on this machine: a bounded number execute at a time, the others wait."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial


class Places:
    """Drives runs in the order of their acceptance.

    Args:
        number: how many there may be at a time.
        drive: executes a run, from its place to its end.
    """

    def __init__(self, number: int, drive: Callable[[str], Awaitable[None]]) -> None:
        self._number = number
        self._drive = drive
        self._waiting: deque[str] = deque()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    def submit(self, run_id: str) -> None:
        """Execute the run when there is a place for it."""
        self._waiting.append(run_id)
        self._fill()

    def discard(self, run_id: str) -> None:
        """Let a run wait no more, or end what executes it."""
        if run_id in self._waiting:
            self._waiting.remove(run_id)
        if task := self._tasks.get(run_id):
            task.cancel()

    async def close(self) -> None:
        """End what executes runs, and let no other begin."""
        self._closing = True
        self._waiting.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _fill(self) -> None:
        while self._waiting and len(self._tasks) < self._number and not self._closing:
            run_id = self._waiting.popleft()
            task = asyncio.ensure_future(self._drive(run_id))
            self._tasks[run_id] = task
            task.add_done_callback(partial(self._free, run_id))

    def _free(self, run_id: str, task: "asyncio.Task[None]") -> None:  # noqa: ARG002  # a callback
        del self._tasks[run_id]
        self._fill()
