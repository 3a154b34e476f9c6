"""Tells who holds the loop: everything waits while one callback runs, and a stack says which.

The loop's selector notes when a turn begins (`select` returns) and ends (`select` is called). A thread looks at it, and
sleeps for as long as the loop does: at rest it costs one or two wakes for each of the loop's own.
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

HELD_SECONDS = 0.1
"""A turn of the loop that takes longer holds it."""

_AGAIN = 10.0
"""A turn that goes on is told of again when it has taken this many times as long."""

_TOLD_SECONDS = 10.0
"""Least time between two lines about different turns; how many were left out is in the next one."""

_FRAMES = 40


class _Turns(selectors.DefaultSelector):
    """The selector of the loop. Its thread alone calls `select`."""

    def __init__(self) -> None:
        super().__init__()
        self.began: float | None = None
        """When the turn began that goes on, in monotonic time; None while the loop sleeps."""
        self.number = 0
        self.awaited = False
        """Whether the next turn is to be told of, by `wake`."""
        self.wake: Callable[[], object] = lambda: None
        self.held: Callable[[float], object] = lambda _: None

    def select(self, timeout: float | None = None) -> Any:
        """End a turn, wait, and begin another."""
        began = self.began
        if began is not None:
            self.began = None
            if (seconds := time.monotonic() - began) > HELD_SECONDS:
                self.held(seconds)
        ready = super().select(timeout)
        self.number += 1
        self.began = time.monotonic()
        if self.awaited:
            self.awaited = False
            self.wake()
        return ready


class Watchdog:
    """Watches one loop, which `loop_factory` makes, from a thread for the length of the context.

    Args:
        held: told how long each turn took that held the loop, in seconds; in the thread of the loop.
    """

    def __init__(self, held: Callable[[float], object] = lambda _: None) -> None:
        self._turns = _Turns()
        self._turns.held = self._held
        self._note = held
        self._told_turn = 0
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
        return asyncio.SelectorEventLoop(self._turns)

    def __enter__(self) -> Self:
        """Watch the loop, which the calling thread runs."""
        self._thread_id = threading.get_ident()
        self._turns.wake = self._woken.set
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # From here on the loop turns only to be closed.
        self._over, self._turns.began = True, None
        self._woken.set()
        self._thread.join()

    @property
    def held_seconds(self) -> float:
        """For how long the turn goes on that the loop is in; 0 while it sleeps."""
        began = self._turns.began
        return 0.0 if began is None else time.monotonic() - began

    def _held(self, seconds: float) -> None:
        """Note a turn that has ended, and tell of it if that was not done while it went on."""
        self._note(seconds)
        if self._told_turn == self._turns.number or not self._may_tell():
            return
        # What keeps all of Python to itself, such as a call in C, lets nobody look.
        _LOG.warning("the loop was held for %.1f s, and nobody could look by whom", seconds)

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
            began, number = self._turns.began, self._turns.number
            if began is None:
                self._sleep()
            elif (left := began + HELD_SECONDS - time.monotonic()) > 0:
                time.sleep(left)
            else:
                self._watch_turn(number, began)

    def _sleep(self) -> None:
        """Return when the loop has begun another turn."""
        self._woken.clear()
        self._turns.awaited = True
        # It may have begun meanwhile, and not have seen that it is awaited.
        if self._turns.began is None:
            self._woken.wait()

    def _watch_turn(self, number: int, began: float) -> None:
        """Tell of a turn that takes long, and again while it goes on."""
        told, due = False, HELD_SECONDS
        while self._is_in(number) and not self._over:
            self.wakes += 1
            seconds = time.monotonic() - began
            if seconds >= due:
                told = self._tell(number, seconds, again=told) or told
                due *= _AGAIN
            time.sleep(min(HELD_SECONDS, max(0.0, began + due - time.monotonic())))
        if told and (seconds := time.monotonic() - began) > 1:
            _LOG.warning("the loop was held for %.1f s", seconds)

    def _is_in(self, number: int) -> bool:
        return self._turns.number == number and self._turns.began is not None

    def _tell(self, number: int, seconds: float, *, again: bool) -> bool:
        """Log who holds the loop, if not too much was logged; return whether it was."""
        frame = sys._current_frames().get(self._thread_id or 0)  # noqa: SLF001 - documented, for this
        if frame is None or not self._is_in(number):
            # It has just ended; the stack would be somebody else's.
            return False
        self._told_turn = number
        if not again and not self._may_tell():
            return False
        left_out, self._left_out = self._left_out, 0
        _LOG.warning(
            "the loop is held, for %.1f s so far",
            seconds,
            extra={"stack": _stack(frame), "leftOut": left_out},
        )
        return True


def _stack(frame: FrameType) -> str:
    return "".join(traceback.format_stack(frame, _FRAMES))
