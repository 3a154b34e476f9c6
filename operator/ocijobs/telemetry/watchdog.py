"""Logs the stack of a step of the event loop that takes too long: everything else waits while one callback runs.

The loop's selector notes when a step begins (`select` returns) and when it ends (`select` is called). A thread watches
these times. It sleeps while the loop sleeps: at rest it wakes once or twice each time that the loop wakes.
"""

from __future__ import annotations

import asyncio
import logging
import selectors
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

_LOG = logging.getLogger(__name__)

BUSY_SECONDS = 0.1
"""The loop counts as busy when one step takes longer than this."""

_AGAIN = 10.0
"""A step that goes on is logged again when it has taken this many times as long."""

_TOLD_SECONDS = 10.0
"""Least time between two lines about different steps. The next line says how many were left out."""

_FRAMES = 40


class _Steps(selectors.DefaultSelector):
    """The selector of the loop. Its thread alone calls `select`."""

    def __init__(self) -> None:
        super().__init__()
        self.began: float | None = None
        """When the present step began, in monotonic time; None while the loop sleeps."""
        self.number = 0
        self.awaited = False
        """Whether `wake` is to be called when the next step begins."""
        self.wake: Callable[[], object] = lambda: None
        self.busy: Callable[[float], object] = lambda _: None

    def select(self, timeout: float | None = None) -> Any:
        """End a step, wait for events, and begin the next step."""
        began = self.began
        if began is not None:
            self.began = None
            if (seconds := time.monotonic() - began) > BUSY_SECONDS:
                self.busy(seconds)
        ready = super().select(timeout)
        self.number += 1
        self.began = time.monotonic()
        if self.awaited:
            self.awaited = False
            self.wake()
        return ready


class Watchdog:
    """Watches one loop, which `loop_factory` makes, from a thread of its own while the context is open.

    Args:
        busy: called with the seconds of each step that took longer than `BUSY_SECONDS`, in the thread of the loop.
    """

    def __init__(self, busy: Callable[[float], object] = lambda _: None) -> None:
        self._steps = _Steps()
        self._steps.busy = self._busy
        self._note = busy
        self._told_step = 0
        self._thread_id: int | None = None
        self._woken = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._told_at = float("-inf")
        self._left_out = 0
        self.wakes = 0
        """How often its thread has looked."""

    def loop_factory(self) -> asyncio.AbstractEventLoop:
        """Return the loop that is watched, for `asyncio.Runner`."""
        return asyncio.SelectorEventLoop(self._steps)

    def __enter__(self) -> Self:
        """Watch the loop, which the calling thread runs."""
        self._thread_id = threading.get_ident()
        self._steps.wake = self._woken.set
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # From here on the loop runs only to be closed.
        self._over, self._steps.began = True, None
        self._woken.set()
        self._thread.join()

    @property
    def busy_seconds(self) -> float:
        """For how long the present step has run, in seconds; 0 while the loop sleeps."""
        began = self._steps.began
        return 0.0 if began is None else time.monotonic() - began

    def _busy(self, seconds: float) -> None:
        """Note a step that has ended, and log it unless it was logged while it ran."""
        self._note(seconds)
        if self._told_step == self._steps.number or not self._may_tell():
            return
        # A call in C that keeps the interpreter lock keeps the watching thread from running, too.
        _LOG.warning("the loop was busy for %.1f s, and its stack could not be read", seconds)

    def _may_tell(self) -> bool:
        now = time.monotonic()
        if now - self._told_at < _TOLD_SECONDS:
            self._left_out += 1
            return False
        self._told_at = now
        return True

    def _watch(self) -> None:
        while not self._over:
            self.wakes += 1
            began, number = self._steps.began, self._steps.number
            if began is None:
                self._sleep()
            elif (left := began + BUSY_SECONDS - time.monotonic()) > 0:
                time.sleep(left)
            else:
                self._watch_step(number, began)

    def _sleep(self) -> None:
        """Return when the loop has begun another step."""
        self._woken.clear()
        self._steps.awaited = True
        # It may have begun meanwhile, and not have seen that it is awaited.
        if self._steps.began is None:
            self._woken.wait()

    def _watch_step(self, number: int, began: float) -> None:
        """Log a step that takes long, and log it again while it goes on."""
        told, due = False, BUSY_SECONDS
        while self._is_in(number) and not self._over:
            self.wakes += 1
            seconds = time.monotonic() - began
            if seconds >= due:
                told = self._tell(number, seconds, again=told) or told
                due *= _AGAIN
            time.sleep(min(BUSY_SECONDS, max(0.0, began + due - time.monotonic())))
        if told and (seconds := time.monotonic() - began) > 1:
            _LOG.warning("the loop was busy for %.1f s", seconds)

    def _is_in(self, number: int) -> bool:
        return self._steps.number == number and self._steps.began is not None

    def _tell(self, number: int, seconds: float, *, again: bool) -> bool:
        """Log what the loop is busy with, unless too much was logged; return whether it was logged."""
        frame = sys._current_frames().get(self._thread_id or 0)  # noqa: SLF001 - documented, for this
        if frame is None or not self._is_in(number):
            # The step has just ended: the stack would be another step's.
            return False
        self._told_step = number
        if not again and not self._may_tell():
            return False
        left_out, self._left_out = self._left_out, 0
        _LOG.warning(
            "the loop is busy with one step, for %.1f s so far",
            seconds,
            extra={"stack": _stack(frame), "leftOut": left_out},
        )
        return True


def _stack(frame: FrameType) -> str:
    return "".join(traceback.format_stack(frame, _FRAMES))
