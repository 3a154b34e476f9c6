"""The operator, whose loop a signal keeps busy: SIGALRM has it calculate for a while.

`python -m tests.support.busy_operator SECONDS run ...` is `python -m ocijobs run ...` but for that.
"""

import asyncio
import runpy
import signal
import sys
import time
from types import FrameType

SIGNAL = signal.SIGALRM


def keep_the_loop_busy() -> None:
    """Do what takes long and lets no other task of the loop run."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        sum(range(1000))


def _take(number: int, frame: FrameType | None) -> None:
    del number, frame
    # The signal comes in the thread of the loop, which sleeps.
    asyncio.get_running_loop().call_soon_threadsafe(keep_the_loop_busy)


if __name__ == "__main__":
    SECONDS = float(sys.argv.pop(1))
    signal.signal(SIGNAL, _take)
    runpy.run_module("ocijobs", run_name="__main__", alter_sys=True)
