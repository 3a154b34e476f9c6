"""The periodic list: what the watch missed is found, above all deletions, which kopf does not report after a gap."""

from __future__ import annotations

import asyncio
import logging
import random

from ocijobs.api.crd import KINDS
from ocijobs.clock import Clock
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ObjectReader

_LOG = logging.getLogger(__name__)


class Resync:
    """Lists everything, at the start and from time to time."""

    def __init__(
        self,
        *,
        reader: ObjectReader,
        store: Store,
        memory: Memory,
        queue: WorkQueue,
        clock: Clock,
        namespaces: tuple[str, ...],
        interval_seconds: float,
    ) -> None:
        self._reader, self._store, self._memory = reader, store, memory
        self._queue, self._clock = queue, clock
        self._namespaces: tuple[str | None, ...] = namespaces or (None,)
        self._interval = interval_seconds
        self.synced = asyncio.Event()
        """Set when everything was listed once."""

    async def run(self) -> None:
        """List again and again. Runs for as long as the operator does."""
        while True:
            jitter = random.uniform(0.9, 1.1)  # noqa: S311 - operators must not list in step
            await self._clock.sleep(self._interval * jitter)
            try:
                await self.once()
            except ApiError as error:
                _LOG.warning("list not complete: %s", error)
                continue
            for key in self._store.all_keys():
                self._queue.add(key)

    async def once(self) -> None:
        """Bring the store up to a complete list of every kind.

        Raises:
            ApiError: if a list could not be read to its end; then nothing is taken for gone.
        """
        for kind in KINDS:
            for namespace in self._namespaces:
                await self._list(kind.name, namespace)
        self._memory.keep_only(
            {
                entry.key: entry.metadata.uid
                for kind in KINDS
                for entry in self._store.of_kind(kind.name)
            }
        )
        self.synced.set()

    async def _list(self, kind: str, namespace: str | None) -> None:
        before = {entry.key: entry for entry in self._store.of_kind(kind, namespace)}
        listed: set[str] = set()
        version = "0"
        async for items, seen in self._reader.pages(kind, namespace):
            version = seen
            for item in items:
                listed.add(item["metadata"]["uid"])
                self._store.put({**item, "kind": kind})
        for key, entry in before.items():
            meta = entry.metadata
            if meta.uid not in listed and int(meta.resource_version) <= int(version):
                self._store.remove(key, meta.uid)
