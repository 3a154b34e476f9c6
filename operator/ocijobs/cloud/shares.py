"""How many calls of each principal may be under way: some for every principal, and never all for one.

Each may have as many as are left for others (a dynamic threshold, as in the shared buffers of switches): one alone gets
half of all, and two get a third each. So a new principal always finds a free share, however slowly others are answered.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Shares:
    """Lets a number of calls through at the same time. Others wait, those of each principal in a line of its own."""

    def __init__(self, most: int, each: int) -> None:
        """Allow `most` calls in all, and `each` for one principal."""
        self._most, self._each = most, each
        self._taken: Counter[Hashable] = Counter()
        self._lines: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @property
    def taken(self) -> int:
        """How many are under way."""
        return self._taken.total()

    def free(self, owner: Hashable) -> bool:
        """Whether the principal may have one more."""
        has, taken = self._taken[owner], self._taken.total()
        return taken < self._most and has < self._each and (has == 0 or has < self._most - taken)

    @asynccontextmanager
    async def one(self, owner: Hashable) -> AsyncIterator[None]:
        """Wait for a share, and keep it while the context is open."""
        if self._lines.get(owner) or not self.free(owner):
            ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._lines.setdefault(owner, deque()).append(ticket)
            try:
                await ticket
            except asyncio.CancelledError:
                if ticket.done() and not ticket.cancelled():
                    self._give_back(owner)
                raise
        else:
            self._taken[owner] += 1
        try:
            yield
        finally:
            self._give_back(owner)

    def _give_back(self, owner: Hashable) -> None:
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]
        self._let_through()

    def _let_through(self) -> None:
        """Let waiting calls through, one of each principal in turn; principals with the fewest shares go first."""
        while True:
            for owner in [owner for owner in self._lines if not self._waits(owner)]:
                del self._lines[owner]
            open_ = [owner for owner in self._lines if self.free(owner)]
            if not open_:
                return
            owner = min(open_, key=lambda one: self._taken[one])
            # Back to the end of all lines: the next one of the others comes first.
            line = self._lines[owner] = self._lines.pop(owner)
            self._taken[owner] += 1
            line.popleft().set_result(None)

    def _waits(self, owner: Hashable) -> bool:
        """Whether a call of the principal waits that was not given up."""
        line = self._lines[owner]
        while line and line[0].done():
            line.popleft()
        return bool(line)
