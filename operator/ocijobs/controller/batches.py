"""Reads that many runs want at about the same time: gathered for a moment, then made with one call for many."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from ocijobs.api.metadata import ObjectKey
from ocijobs.clock import Clock
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.store import Entry

GroupT = TypeVar("GroupT", bound=Hashable)
RequestT = TypeVar("RequestT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[RequestT]):
    """What one run wants to be read."""

    key: ObjectKey
    uid: str
    request: RequestT


class Batches(Generic[GroupT, RequestT]):
    """Gathers what is asked for, and has it read together.

    Args:
        read: reads a batch of one group, and learns what it brought.
        most: requests in a batch.
        seconds: how long requests are gathered.
        queue: in which every run is put whose request was read.
        clock: for the gathering.
    """

    def __init__(
        self,
        read: Callable[[GroupT, Sequence[Asked[RequestT]]], Awaitable[None]],
        *,
        most: int,
        seconds: float,
        queue: WorkQueue,
        clock: Clock,
    ) -> None:
        self._read, self._most, self._seconds = read, most, seconds
        self._queue, self._clock = queue, clock
        self._waiting: dict[GroupT, dict[str, Asked[RequestT]]] = defaultdict(dict)
        self._reading: set[str] = set()
        self._asked = asyncio.Event()

    def ask(self, entry: Entry, group: GroupT, request: RequestT) -> None:
        """Have something read in the next batch of its group; asking twice is asking once."""
        uid = entry.metadata.uid
        if uid in self._reading:
            return
        self._waiting[group][uid] = Asked(key=entry.key, uid=uid, request=request)
        self._asked.set()

    async def run(self) -> None:
        """Read what is asked for. Runs for as long as the operator does."""
        while True:
            await self._asked.wait()
            await self._clock.sleep(self._seconds)
            self._asked.clear()
            waiting, self._waiting = self._waiting, defaultdict(dict)
            batches = [
                (group, batch)
                for group, asked in waiting.items()
                for batch in _batches(list(asked.values()), self._most)
            ]
            self._reading = {item.uid for _, batch in batches for item in batch}
            await asyncio.gather(*(self._carry_out(group, batch) for group, batch in batches))

    async def _carry_out(self, group: GroupT, batch: list[Asked[RequestT]]) -> None:
        await self._read(group, batch)
        for item in batch:
            self._reading.discard(item.uid)
            self._queue.add(item.key)


def _batches(asked: list[Asked[RequestT]], most: int) -> list[list[Asked[RequestT]]]:
    rest = iter(asked)
    batches = []
    while batch := list(islice(rest, most)):
        batches.append(batch)
    return batches
