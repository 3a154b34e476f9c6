"""Signals to a running process: write where every thread and task is, and switch the log to DEBUG."""

from __future__ import annotations

import asyncio
import faulthandler
import io
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ocijobs.telemetry import logs

_LOG = logging.getLogger(__name__)

DUMP = signal.SIGUSR1
"""Writes the stacks of all threads to stderr, even while the loop is busy, and those of all tasks to the log."""

DEBUG = signal.SIGUSR2
"""Switches the log to DEBUG, and back to the configured level."""

_FRAMES = 20


@contextmanager
def signals_heeded(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Handle both signals, in the main thread that runs the loop."""
    loop.add_signal_handler(DUMP, dump_tasks, loop)
    loop.add_signal_handler(DEBUG, logs.toggle_debug)
    # In C, and at once; then it goes on to the handler above.
    faulthandler.register(DUMP, file=sys.stderr, all_threads=True, chain=True)
    try:
        yield
    finally:
        faulthandler.unregister(DUMP)
        for number in (DUMP, DEBUG):
            loop.remove_signal_handler(number)


def dump_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Log where each task of the loop is."""
    tasks = asyncio.all_tasks(loop)
    stacks = {}
    for task in sorted(tasks, key=lambda task: task.get_name()):
        stack = io.StringIO()
        task.print_stack(limit=_FRAMES, file=stack)
        stacks[task.get_name()] = stack.getvalue()
    _LOG.warning("%d tasks", len(tasks), extra={"tasks": stacks})
