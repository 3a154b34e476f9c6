"""Reads that many runs need at about the same time: collected for a moment, then made with one call for many."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.controller.queue import WorkQueue

_LOG = logging.getLogger(__name__)

GroupT = TypeVar("GroupT", bound=Hashable)
RequestT = TypeVar("RequestT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[RequestT]):
    """One run's request for a read."""

    key: ObjectKey
    uid: str
    request: RequestT


class Batches(Generic[GroupT, RequestT]):
    """Collects requests and reads them together. Groups are read independently, so that none waits for another.

    Args:
        read: reads a batch of one group, and learns what it brought.
        failed: called for each request of a batch that met an unexpected error.
        most: requests in a batch.
        seconds: how long requests are collected.
        queue: gets every run whose request was read.
        clock: measures `seconds`.
    """

    def __init__(
        self,
        read: Callable[[GroupT, Sequence[Asked[RequestT]]], Awaitable[None]],
        failed: Callable[[Asked[RequestT], Exception], None],
        *,
        most: int,
        seconds: float,
        queue: WorkQueue,
        clock: Clock,
    ) -> None:
        self._read, self._failed = read, failed
        self._most, self._seconds = most, seconds
        self._queue, self._clock = queue, clock
        self._waiting: dict[GroupT, dict[str, Asked[RequestT]]] = {}
        self._reading: set[str] = set()
        self._groups: dict[GroupT, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def ask(self, entry: Entry, group: GroupT, request: RequestT) -> None:
        """Request a read in the next batch of its group. A repeated request counts once."""
        uid = entry.metadata.uid
        if uid in self._reading:
            return
        self._waiting.setdefault(group, {})[uid] = Asked(key=entry.key, uid=uid, request=request)
        self._begin(group)

    async def run(self) -> None:
        """Read what was requested. Runs for as long as the operator."""
        async with asyncio.TaskGroup() as self._tasks:
            for group in list(self._waiting):
                self._begin(group)
            await asyncio.Event().wait()

    def _begin(self, group: GroupT) -> None:
        if self._tasks is not None and group not in self._groups:
            self._groups[group] = self._tasks.create_task(self._serve(group))

    async def _serve(self, group: GroupT) -> None:
        """Read what was requested of a group, until nothing is left."""
        while group in self._waiting:
            await self._clock.sleep(self._seconds)
            asked = list(self._waiting.pop(group).values())
            self._reading |= {item.uid for item in asked}
            batches = _batches(asked, self._most)
            await asyncio.gather(*(self._carry_out(group, batch) for batch in batches))
        del self._groups[group]

    async def _carry_out(self, group: GroupT, batch: list[Asked[RequestT]]) -> None:
        try:
            await self._read(group, batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, other batches are read
            _LOG.exception(
                "a batch of %d reads failed: a defect of the operator",
                len(batch),
                extra={"group": str(group), "error": type(error).__name__},
            )
            for item in batch:
                self._failed(item, error)
        for item in batch:
            self._reading.discard(item.uid)
            self._queue.add(item.key)


def _batches(asked: list[Asked[RequestT]], most: int) -> list[list[Asked[RequestT]]]:
    rest = iter(asked)
    batches = []
    while batch := list(islice(rest, most)):
        batches.append(batch)
    return batches
