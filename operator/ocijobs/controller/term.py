"""One term: from the first list and the campaign for the lease until the lease is lost or the process ends.

What is remembered belongs to the term. A process that has lost the lease forgets all of it, as in a restart, and begins
another term, but only when nothing of the former term is under way any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ocijobs.api import kinds
from ocijobs.api.identity import OCIIdentity
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.conditions import ConditionType, find, is_true
from ocijobs.backends.registry import backend_for
from ocijobs.clock import Clock
from ocijobs.cloud.clients import import_sdk
from ocijobs.controller.election import Campaign
from ocijobs.controller.fetcher_client import Fetcher
from ocijobs.controller.staging import Quota, Staging
from ocijobs.controller.store import Store
from ocijobs.controller.streams import OURS, WORKLOADS, Answers, Resources, Streams, Watched
from ocijobs.controller.watch import watch
from ocijobs.controller.wiring import Machinery, assemble
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.login import Login
from ocijobs.settings import Settings
from ocijobs.telemetry.metrics import IdentityState, IdentityStates, Labels, Metrics, ObjectCounts

_LOG = logging.getLogger(__name__)

FIRST_READ_PAUSE_SECONDS = 2.0

_DRAIN_SECONDS = 15.0
"""Seconds to wait at the end for objects that are being worked on."""

_CALLS_SECONDS = 30.0
"""Seconds to wait for calls to OCI of a term that is over, beyond the longest time of a call."""


class CallsUnderWayError(RuntimeError):
    """Calls to OCI of a term that is over do not end, so the process has to end at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What outlives a term."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    login: Login
    client: KubeClient
    fetcher: Fetcher
    streams: Streams
    answers: Answers
    cluster_id: str
    instance: str
    stopping: asyncio.Event


@asynccontextmanager
async def term_in(world: World, campaign: Campaign, folder: Path) -> AsyncIterator[Term]:
    """Provide a term with threads of its own. At the end of the context nothing of it is under way.

    Args:
        world: what outlives it.
        campaign: for the lease.
        folder: of its own, for artifacts.

    Raises:
        CallsUnderWayError: if a call to OCI does not end.
    """
    # The shared poll has its own: launches never hold what follows runs.
    threads = ThreadPoolExecutor(2 * world.settings.oci_threads, thread_name_prefix="oci")
    term = Term(world, campaign, threads, folder)
    try:
        yield term
    finally:
        await term.parts.jobs.end()
        await campaign.stop()
        await _ended(threads, world.settings.worst_call_seconds + _CALLS_SECONDS)


async def _ended(threads: ThreadPoolExecutor, seconds: float) -> None:
    threads.shutdown(wait=False, cancel_futures=True)
    # A thread that is cancelled goes on: only its end proves that the call has ended.
    ended = asyncio.get_running_loop().run_in_executor(None, threads.shutdown)
    done, _ = await asyncio.wait([ended], timeout=seconds)
    if not done:
        raise CallsUnderWayError(f"calls to OCI have not ended within {seconds:.0f} s")


class Term:
    """The parts of a term, and their lives."""

    def __init__(
        self, world: World, campaign: Campaign, threads: ThreadPoolExecutor, folder: Path
    ) -> None:
        self._world, self._campaign, self._threads = world, campaign, threads
        self._work: asyncio.Task[None] | None = None
        self.lease = campaign.lease
        self.parts: Machinery = assemble(
            settings=world.settings,
            clock=world.clock,
            metrics=world.metrics,
            client=world.client,
            lease=campaign.lease,
            threads=threads,
            staging=Staging(folder, _quota(world.settings)),
            fetcher=world.fetcher,
            cluster_id=world.cluster_id,
            instance=world.instance,
        )

    @property
    def synced(self) -> bool:
        """Whether everything was listed."""
        return self.parts.resync.synced.is_set()

    @property
    def works(self) -> bool:
        """Whether the workers are still working, if they have begun."""
        return self._work is None or not self._work.done()

    async def live(self) -> None:
        """List, watch, campaign for the lease and work, until the process has to end.

        Raises:
            ExceptionGroup: with the errors that end the term; with NotLeadingError when the lease is lost.
        """
        self._show()
        parts = self.parts
        async with asyncio.TaskGroup() as group:
            lives = [
                group.create_task(life, name=name)
                for name, life in (
                    ("lease", self._campaign.lost()),
                    ("watch", self._watch()),
                    ("queues", self._watch_queues()),
                    ("queue", parts.queue.run()),
                    ("turns", parts.admission.run()),
                    ("tracker", parts.tracker.run()),
                    ("logs", parts.logs.run()),
                    ("utilisation", parts.utilisation.run()),
                    ("resync", parts.resync.run()),
                    ("lead", self._lead(group)),
                )
            ]
            await self._world.stopping.wait()
            _LOG.info("ending: %d objects are worked on", parts.queue.active)
            await parts.queue.close()
            if self._work is not None:
                await asyncio.wait([self._work], timeout=_DRAIN_SECONDS)
                self._work.cancel()
            await self._campaign.give_back()
            for task in lives:
                task.cancel()

    def _show(self) -> None:
        """Expose the metrics of this term."""
        metrics, parts, lease = self._world.metrics, self.parts, self.lease
        metrics.count_objects(_counts(parts.store), _states(parts))
        metrics.oci_under_way.set_function(lambda: parts.calls.under_way)
        metrics.queue_depth.set_function(lambda: len(parts.queue))
        metrics.objects_under_way.set_function(lambda: parts.queue.active)
        metrics.active_workers.set_function(lambda: parts.queue.workers)
        metrics.oci_waiting.set_function(lambda: parts.calls.waiting + parts.admission.waiting)
        metrics.leader.set_function(lambda: float(lease.leading))
        metrics.followed.set(0)

    async def _lead(self, group: asyncio.TaskGroup) -> None:
        """Begin to work when everything is listed, OCI can be called and this process has the lease."""
        parts = self.parts
        await parts.resync.synced.wait()
        await asyncio.get_running_loop().run_in_executor(self._threads, import_sdk)
        await self._campaign.acquired()
        await parts.copies.read()
        for key in (*parts.store.all_keys(), *parts.workloads.all_keys()):
            parts.queue.add(key)
        self._work = group.create_task(parts.worker.run(), name="workers")
        await parts.upkeep.run()

    async def _watch(self) -> None:
        """Watch once everything could be listed: then definitions and permissions are there."""
        resync = self.parts.resync
        while not resync.synced.is_set():
            try:
                await resync.once()
            except ApiError as error:
                _LOG.warning("first list not complete: %s", error)
                await self._world.clock.sleep(FIRST_READ_PAUSE_SECONDS)
        await watch(self._watched(self.parts.store, OURS))

    async def _watch_queues(self) -> None:
        """Watch Workloads while Kueue is there; it may be installed and removed at any time."""
        resync = self.parts.resync
        while True:
            await resync.queues.wait()
            # The API server forgets a definition little by little.
            await watch(self._watched(self.parts.workloads, WORKLOADS), resync.find_queues)

    def _watched(self, store: Store, resources: Resources) -> Watched:
        world = self._world
        return Watched(
            store=store,
            login=world.login,
            streams=world.streams,
            answers=world.answers,
            gap=self.parts.resync.soon,
            namespaces=world.settings.watch_namespaces,
            resources=resources,
        )


def _quota(settings: Settings) -> Quota:
    return Quota(
        total_bytes=settings.staging_limit_bytes,
        namespace_bytes=settings.staging_namespace_limit_bytes,
    )


def _counts(store: Store) -> ObjectCounts:
    def runs() -> Iterable[Labels]:
        for entry in store.of_kind(kinds.RUN):
            if isinstance(entry.resource, OCIJobRun):
                status = entry.resource.status
                yield entry.key.namespace, status.backend or "", status.phase or "Pending"

    def jobs() -> Iterable[Labels]:
        for entry in store.of_kind(kinds.JOB):
            if isinstance(entry.resource, OCIJob):
                ready = find(entry.resource.status.conditions, ConditionType.READY)
                backend = backend_for(entry.resource.spec.infrastructure).name
                yield entry.key.namespace, backend, ready.status if ready else "Unknown"

    return ObjectCounts(runs, jobs)


def _states(parts: Machinery) -> IdentityStates:
    def identities() -> Iterable[IdentityState]:
        for entry in parts.store.of_kind(kinds.IDENTITY):
            if isinstance(entry.resource, OCIIdentity):
                verified_at = parts.memory.identity(entry.key).verified_at
                yield IdentityState(
                    namespace=entry.key.namespace,
                    name=entry.key.name,
                    ready=is_true(entry.resource.status.conditions, ConditionType.READY),
                    verified_at=verified_at.timestamp() if verified_at is not None else None,
                )

    return IdentityStates(identities, parts.orphans.namespaces)
