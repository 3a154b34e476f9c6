"""The watch: kopf delivers every change of our kinds to the store.

kopf runs in a thread with its own loop: in ours it would take over the signals and, at its end, cancel every task that
was started after it. That thread also imports kopf, so an operator is ready, and may lead, before it watches.

A watch that ends, or is silent while ordinary requests are answered, is started again in another thread. If that has
not helped a few times, the process ends: a new process starts without the cause, whatever it is.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from ocijobs.controller.streams import Watched

_LOG = logging.getLogger(__name__)


_MOST_BEGINNINGS = 4
"""How often a watch is started without an answer before the process ends."""

_END_SECONDS = 10.0
"""Seconds to wait for a watch that is told to end, and then for one that is cancelled."""


class WatchEndedError(RuntimeError):
    """The watch is broken, and starting it again has not helped: the process has to be restarted."""


async def _always() -> bool:
    return True


async def watch(watched: Watched, wanted: Callable[[], Awaitable[bool]] = _always) -> None:
    """Feed the store until cancelled, or until what is watched is no longer wanted.

    Args:
        watched: what.
        wanted: called whenever a watch has ended.

    Raises:
        WatchEndedError: if the watch stays broken while ordinary requests are answered.
    """
    in_vain = 0
    names = watched.names()
    watched.streams.expect(names)
    try:
        while True:
            began = time.monotonic()
            problem = await _watch_once(watched)
            if all(watched.streams.heard_at(name) > began for name in names):
                in_vain = 0
            if watched.answers.well_since is not None:
                in_vain += 1
            if in_vain >= _MOST_BEGINNINGS:
                raise WatchEndedError(
                    f"the watch has ended, and starting it again did not help: {problem}"
                )
            await asyncio.sleep(watched.times.again_seconds)
            if not await wanted():
                return
            _LOG.warning("the watch is started again: %s", problem)
            watched.gap()
    finally:
        watched.streams.dismiss(names)


async def _watch_once(watched: Watched) -> str:
    """Watch until kopf ends or a stream is silent for too long, and return which it was."""
    attempt = _Attempt(watched)
    try:
        while not attempt.ended.done():
            await asyncio.wait([attempt.ended], timeout=watched.times.look_seconds)
            if silent := _silent(watched, attempt.began):
                return f"nothing is heard of {', '.join(silent)}"
    finally:
        await attempt.end()
    error = attempt.ended.result()
    return "kopf's log says why" if error is None else f"{type(error).__name__}: {error}"


def _silent(watched: Watched, began: float) -> list[str]:
    """Return the streams without an answer for too long although other requests are answered."""
    well_since = watched.answers.well_since
    if well_since is None:
        return []
    least = time.monotonic() - watched.streams.stale_seconds
    return [
        name.resource
        for name in watched.names()
        if max(watched.streams.heard_at(name), began, well_since) < least
    ]


@dataclass(frozen=True, slots=True)
class _Life:
    """How to end kopf, in its own loop: gently, and at once."""

    stop: asyncio.Event
    task: asyncio.Task[None]


class _Attempt:
    """One life of kopf, in a thread."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._loop = asyncio.get_running_loop()
        self._over = False
        self._tell: Callable[[Callable[[_Life], object]], object] | None = None
        self.began = time.monotonic()
        self.ended: asyncio.Future[BaseException | None] = self._loop.create_future()
        """Done with the error that ended it, or without one."""
        # What hangs must not keep the process from ending.
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            asyncio.run(self._operate())
        except BaseException as problem:  # noqa: BLE001 - kopf may end with a CancelledError; who awaits `ended` gets it
            error = problem
        # Where the loop is closed, nobody awaits it any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._note_end, error)

    async def _operate(self) -> None:
        from ocijobs.controller.kopf_watch import operate  # noqa: PLC0415 - in this thread

        # An event of this loop: for one of threads, kopf has a thread wait, without which the loop can't end.
        stop = asyncio.Event()
        life = _Life(stop, asyncio.create_task(operate(self._watched, self._feed, stop)))
        loop = asyncio.get_running_loop()
        self._tell = lambda what: loop.call_soon_threadsafe(what, life)
        if self._over:
            stop.set()
        await life.task

    def _note_end(self, error: BaseException | None) -> None:
        if not self.ended.done():
            self.ended.set_result(error)

    def _feed(self, change: Callable[[], object]) -> None:
        """Make a change in the loop of the store, unless another watch feeds it by now."""
        if not self._over:
            self._loop.call_soon_threadsafe(change)

    async def end(self) -> None:
        """End the watch. One that does not end even when cancelled is abandoned, and feeds nothing any more."""
        self._over = True
        for step in (lambda life: life.stop.set(), lambda life: life.task.cancel()):
            if self.ended.done():
                return
            if self._tell is not None:
                # It may be ending by itself.
                with suppress(RuntimeError):
                    self._tell(step)
            await asyncio.wait([self.ended], timeout=_END_SECONDS)
        if not self.ended.done():
            _LOG.error("a watch that was to end goes on in its thread")
