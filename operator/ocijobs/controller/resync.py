"""The periodic list. It finds what the watch missed, above all deletions, which kopf does not report after a gap."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from ocijobs.api.crd import KINDS
from ocijobs.api.kueue import LABEL_RUN, WORKLOAD
from ocijobs.clock import Clock, wait_for
from ocijobs.controller.memory import Memory
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ObjectReader
from ocijobs.kube.workloads import Workloads

_LOG = logging.getLogger(__name__)

_LEAST_SECONDS = 30.0
"""Least seconds between two lists, however often one is requested."""


class Resync:
    """Lists everything, at the start and at intervals."""

    def __init__(
        self,
        *,
        reader: ObjectReader,
        kueue: Workloads,
        store: Store,
        workloads: Store,
        memory: Memory,
        queue: WorkQueue,
        clock: Clock,
        namespaces: tuple[str, ...],
        interval_seconds: float,
        count_error: Callable[[str, str], None],
    ) -> None:
        self._count_error = count_error
        self._reader, self._store, self._memory = reader, store, memory
        self._kueue, self._workloads = kueue, workloads
        self._queue, self._clock = queue, clock
        self._namespaces: tuple[str | None, ...] = namespaces or (None,)
        self._interval = interval_seconds
        self.synced = asyncio.Event()
        """Set when everything was listed once."""
        self._wanted = asyncio.Event()
        self.queues = asyncio.Event()
        """Set while the cluster has Kueue."""

    def soon(self) -> None:
        """List everything soon: the watch had a gap, in which deletions are missed."""
        self._wanted.set()

    async def run(self) -> None:
        """List at intervals. Runs for as long as the operator."""
        while True:
            jitter = random.uniform(0.9, 1.1)  # noqa: S311 - operators must not list in step
            least = min(_LEAST_SECONDS, self._interval * jitter)
            await self._clock.sleep(least)
            await wait_for(self._wanted, self._clock, self._interval * jitter - least)
            self._wanted.clear()
            try:
                await self.once()
            except ApiError as error:
                _LOG.warning("list not complete: %s", error)
                continue
            except Exception as error:  # noqa: BLE001 - the next list may be complete
                _LOG.exception("list not complete: a defect of the operator")
                self._count_error("periodic list", type(error).__name__)
                continue
            for key in (*self._store.all_keys(), *self._workloads.all_keys()):
                self._queue.add(key)

    async def once(self) -> None:
        """Bring the store up to a complete list of every kind.

        Raises:
            ApiError: if a list could not be read to its end. Then no object counts as gone.
        """
        for kind in KINDS:
            for namespace in self._namespaces:
                await self._list(self._store, kind.name, namespace)
        await self.find_queues()
        self._memory.keep_only(
            {
                entry.key: entry.metadata.uid
                for kind in KINDS
                for entry in self._store.of_kind(kind.name)
            }
        )
        self.synced.set()

    async def find_queues(self) -> bool:
        """Return whether the cluster has Kueue. If so, the Workloads of our runs are in their store.

        Raises:
            ApiError: if that can't be told, or the list could not be read to its end.
        """
        served = await self._kueue.served()
        if served:
            for namespace in self._namespaces:
                await self._list(self._workloads, WORKLOAD, namespace, selector=LABEL_RUN)
            self.queues.set()
        else:
            self.queues.clear()
        if served is not self._memory.queues_served:
            _LOG.info("Kueue is %s", "here: runs wait for their queues" if served else "gone")
        self._memory.queues_served = served
        return served

    async def _list(
        self, store: Store, kind: str, namespace: str | None, *, selector: str = ""
    ) -> None:
        before = {entry.key: entry for entry in store.of_kind(kind, namespace)}
        listed: set[str] = set()
        version = "0"
        async for items, seen in self._reader.pages(kind, namespace, selector=selector):
            version = seen
            for item in items:
                listed.add(item["metadata"]["uid"])
                store.put({**item, "kind": kind})
        for key, entry in before.items():
            meta = entry.metadata
            if meta.uid not in listed and int(meta.resource_version) <= int(version):
                store.remove(key, meta.uid)
