"""The life of one process: list, watch, strive for the lease, work, and end in order."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ocijobs.api.conditions import ConditionType, find
from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import OCIJobRun
from ocijobs.artifact.staging import Staging
from ocijobs.clock import Clock, SystemClock, wait_for
from ocijobs.cloud.clients import import_sdk
from ocijobs.controller.store import Store
from ocijobs.controller.watch import WORKLOADS, WatchEndedError, watch
from ocijobs.controller.wiring import Machinery, assemble
from ocijobs.kube.client import ApiError, Configuration, KubeClient
from ocijobs.kube.lease import LeaderLease
from ocijobs.kube.reads import ObjectReader
from ocijobs.observe.metrics import Labels, Metrics, ObjectCounts
from ocijobs.observe.server import ObserveServer
from ocijobs.settings import Settings

_LOG = logging.getLogger(__name__)

_STUCK_SECONDS = 60.0
"""After how long a loop that does not turn is taken for stuck."""

_DRAIN_SECONDS = 15.0
"""How long calls that are under way are awaited at the end."""

_FIRST_READ_PAUSE_SECONDS = 2.0


class Operator:
    """One process: the leader, or a standby with a warm store."""

    def __init__(
        self, settings: Settings, configuration: Configuration, clock: Clock | None = None
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._clock = clock or SystemClock()
        self.metrics = Metrics()
        """What is scraped; a process's own tests read it where it is."""
        self._stopping = asyncio.Event()
        self._turned_at = time.monotonic()
        self.machinery: Machinery | None = None
        """Its parts, once there is a cluster to work for."""
        self._work: asyncio.Task[None] | None = None
        self.port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Port of metrics and health, once it is open."""

    def stop(self) -> None:
        """Ask the operator to end; `run` returns when it has."""
        self._stopping.set()

    async def run(self) -> None:
        """Live until `stop` is called.

        Raises:
            Exception: what keeps the operator from going on; a restart is the remedy.
        """
        settings = self._settings
        with (
            # The shared poll has its own: launches never hold what follows runs.
            ThreadPoolExecutor(2 * settings.oci_threads, thread_name_prefix="oci") as threads,
            tempfile.TemporaryDirectory(prefix="ocijobs-") as folder,
        ):
            async with KubeClient(self._configuration, observe=self.metrics.kube_request) as client:
                self.metrics.kube_under_way.set_function(lambda: client.under_way)
                instance = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
                lease = LeaderLease(
                    client,
                    self._clock,
                    namespace=settings.operator_namespace,
                    name=settings.lease_name,
                    identity=instance,
                    duration_seconds=settings.lease_duration_seconds,
                    renew_seconds=settings.lease_renew_seconds,
                )
                server = ObserveServer(
                    self.metrics, alive=self._alive, ready=lambda: self._ready(lease)
                )
                self.port.set_result(await server.start(settings.http_host, settings.http_port))
                heart = asyncio.create_task(self._beat(), name="heartbeat")
                try:
                    cluster_id = await self._cluster_id(ObjectReader(client))
                    if cluster_id is None:
                        return
                    self.machinery = assemble(
                        settings=settings,
                        clock=self._clock,
                        metrics=self.metrics,
                        client=client,
                        lease=lease,
                        threads=threads,
                        staging=Staging(Path(folder)),
                        cluster_id=cluster_id,
                        instance=instance,
                    )
                    await self._live(self.machinery, lease, threads)
                finally:
                    heart.cancel()
                    await server.stop()

    async def _live(
        self, parts: Machinery, lease: LeaderLease, threads: ThreadPoolExecutor
    ) -> None:
        self.metrics.count_objects(_counts(parts.store))
        self.metrics.oci_under_way.set_function(lambda: parts.calls.under_way)
        self.metrics.queue_depth.set_function(lambda: len(parts.queue))
        self.metrics.objects_under_way.set_function(lambda: parts.queue.active)
        self.metrics.active_workers.set_function(lambda: parts.queue.workers)
        self.metrics.oci_waiting.set_function(lambda: parts.calls.waiting + parts.admission.waiting)
        self.metrics.leader.set_function(lambda: float(lease.leading))
        async with asyncio.TaskGroup() as group:
            lives = [
                group.create_task(life, name=name)
                for name, life in (
                    ("lease", lease.run()),
                    ("watch", self._watch(parts)),
                    ("queues", self._watch_queues(parts)),
                    ("queue", parts.queue.run()),
                    ("turns", parts.admission.run()),
                    ("tracker", parts.tracker.run()),
                    ("logs", parts.logs.run()),
                    ("utilisation", parts.utilisation.run()),
                    ("resync", parts.resync.run()),
                    ("lead", self._lead(parts, lease, threads, group)),
                )
            ]
            await self._stopping.wait()
            _LOG.info("ending: %d objects are worked on", parts.queue.active)
            await parts.queue.close()
            if self._work is not None:
                await asyncio.wait([self._work], timeout=_DRAIN_SECONDS)
                self._work.cancel()
            await lease.release()
            for task in lives:
                task.cancel()

    async def _lead(
        self,
        parts: Machinery,
        lease: LeaderLease,
        threads: ThreadPoolExecutor,
        group: asyncio.TaskGroup,
    ) -> None:
        """Begin to work when everything is listed, OCI can be called and the lease is held."""
        await parts.resync.synced.wait()
        await asyncio.get_running_loop().run_in_executor(threads, import_sdk)
        await lease.acquired()
        for key in (*parts.store.all_keys(), *parts.workloads.all_keys()):
            parts.queue.add(key)
        self._work = group.create_task(parts.worker.run(), name="workers")

    async def _watch(self, parts: Machinery) -> None:
        """Watch once everything could be listed: then the definitions are there, and the permissions."""
        while not parts.resync.synced.is_set():
            try:
                await parts.resync.once()
            except ApiError as error:
                _LOG.warning("first list not complete: %s", error)
                await self._clock.sleep(_FIRST_READ_PAUSE_SECONDS)
        await watch(parts.store, self._settings.watch_namespaces)

    async def _watch_queues(self, parts: Machinery) -> None:
        """Watch Workloads from when Kueue is there; it may be installed, and go, at any time."""
        while True:
            await parts.resync.queues.wait()
            try:
                await watch(parts.workloads, self._settings.watch_namespaces, WORKLOADS)
            except WatchEndedError:
                # The API server forgets a definition little by little.
                await self._clock.sleep(_FIRST_READ_PAUSE_SECONDS)
                if await parts.resync.find_queues():
                    raise

    async def _cluster_id(self, reader: ObjectReader) -> str | None:
        """Return what tells this cluster's resources in OCI from others'; None if it is asked to end before."""
        if self._settings.cluster_id is not None:
            return self._settings.cluster_id
        while not self._stopping.is_set():
            try:
                return await reader.namespace_uid("kube-system")
            except ApiError as error:
                _LOG.warning("uid of namespace kube-system not read: %s", error)
                await wait_for(self._stopping, self._clock, _FIRST_READ_PAUSE_SECONDS)
        return None

    async def _beat(self) -> None:
        """Note that the loop turns."""
        while True:
            self._turned_at = time.monotonic()
            await asyncio.sleep(1)

    def _alive(self) -> Mapping[str, bool]:
        return {
            "loop": time.monotonic() - self._turned_at < _STUCK_SECONDS,
            "workers": self._work is None or not self._work.done() or self._stopping.is_set(),
        }

    def _ready(self, lease: LeaderLease) -> Mapping[str, bool]:
        """A standby is ready too: its store is warm. `leading` is for people, and for metrics."""
        synced = self.machinery is not None and self.machinery.resync.synced.is_set()
        return {"synced": synced, "lease": lease.in_touch}


def _counts(store: Store) -> ObjectCounts:
    def runs() -> Iterable[Labels]:
        for entry in store.of_kind("OCIJobRun"):
            if isinstance(entry.resource, OCIJobRun):
                status = entry.resource.status
                yield entry.key.namespace, status.backend or "", status.phase or "Pending"

    def jobs() -> Iterable[Labels]:
        for entry in store.of_kind("OCIJob"):
            if isinstance(entry.resource, OCIJob):
                ready = find(entry.resource.status.conditions, ConditionType.READY)
                backend = entry.resource.spec.infrastructure.backend
                yield entry.key.namespace, backend, ready.status if ready else "Unknown"

    return ObjectCounts(runs, jobs)
