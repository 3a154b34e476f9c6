"""Campaigns for the lease, one term after the other, in a thread that nothing else can delay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ocijobs.clock import Clock
from ocijobs.kube.client import TIMEOUT_SECONDS, KubeClient, RequestListener
from ocijobs.kube.lease import LeaderLease
from ocijobs.kube.login import Login
from ocijobs.loop_thread import LoopThread
from ocijobs.settings import Settings

_ATTEMPTS = 3
"""How many renewals without an answer fit into the duration of a lease."""


class Campaign:
    """One term, from the first request for the lease until it is lost or given back.

    Attributes:
        lease: tells in any thread whether this process may write.
    """

    def __init__(self, lease: LeaderLease, loop: asyncio.AbstractEventLoop) -> None:
        self.lease, self._loop = lease, loop
        self._task: asyncio.Task[None] | None = None
        self._term = asyncio.run_coroutine_threadsafe(self._run(), loop)

    async def _run(self) -> None:
        self._task = asyncio.current_task()
        await self.lease.run()

    async def acquired(self) -> None:
        """Return when this process is the leader."""
        await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self.lease.acquired(), self._loop)
        )

    async def lost(self) -> None:
        """Return never.

        Raises:
            NotLeadingError: when the lease is lost.
        """
        # Cancelling who waits here is not giving up the lease.
        await asyncio.shield(asyncio.wrap_future(self._term))

    async def stop(self) -> None:
        """Stop renewing the lease."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._stop(), self._loop))

    async def give_back(self) -> None:
        """Stop renewing the lease, and give it back at once if this process has it."""
        await self.stop()
        release = asyncio.run_coroutine_threadsafe(self.lease.release(), self._loop)
        await asyncio.wrap_future(release)

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


class Elector:
    """Begins campaigns.

    Args:
        client: of the loop in which leases are renewed.
        loop: that loop.
        clock: measures leases.
        settings: says which Lease, and how long it lasts.
        identity: of this process.
    """

    def __init__(
        self,
        client: KubeClient,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        settings: Settings,
        identity: str,
    ) -> None:
        self._client, self._loop, self._clock = client, loop, clock
        self._settings, self._identity = settings, identity

    def campaign(self) -> Campaign:
        """Start to campaign for the lease."""
        settings = self._settings
        lease = LeaderLease(
            self._client,
            self._clock,
            namespace=settings.operator_namespace,
            name=settings.lease_name,
            identity=self._identity,
            duration_seconds=settings.lease_duration_seconds,
            renew_seconds=settings.lease_renew_seconds,
        )
        return Campaign(lease, self._loop)


@asynccontextmanager
async def elector_in_thread(
    login: Login, clock: Clock, settings: Settings, identity: str, observe: RequestListener
) -> AsyncIterator[Elector]:
    """Provide an elector with a thread, a loop and a connection of its own."""

    async def connected() -> KubeClient:
        return KubeClient(
            login,
            connections=1,
            observe=observe,
            timeout_seconds=min(TIMEOUT_SECONDS, settings.lease_duration_seconds / _ATTEMPTS),
        )

    async def closed(client: KubeClient) -> None:
        async with client:
            pass

    with LoopThread("lease") as thread:
        client = await thread.do(connected())
        try:
            yield Elector(client, thread.loop, clock, settings, identity)
        finally:
            await thread.do(closed(client))
