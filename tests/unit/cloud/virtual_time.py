"""An event loop whose time passes as soon as nobody has anything to do before a timer is due."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ocijobs.testing import START

T = TypeVar("T")


class _Idle(selectors.SelectSelector):
    """Skips the wait that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return at once what is ready; what nobody waits for longer than time lasts is a deadlock."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("all tasks wait, and no time helps")
            self.skipped += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time starts at 0, and passes only while everybody waits."""

    def __init__(self) -> None:
        self._idle = _Idle()
        super().__init__(self._idle)

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._idle.skipped


class LoopClock:
    """The clock of the loop: in virtual time, one that everything waits on."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
