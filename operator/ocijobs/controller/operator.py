"""The life of one process: it serves metrics and health, and goes from term to term until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ocijobs.clock import Clock, SystemClock, wait_for
from ocijobs.controller.election import Elector, elector_in_thread
from ocijobs.controller.fetcher_client import FetcherClient
from ocijobs.controller.streams import Answers, Streams
from ocijobs.controller.term import FIRST_READ_PAUSE_SECONDS, Term, World, term_in
from ocijobs.controller.wiring import Machinery
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.lease import NotLeadingError
from ocijobs.kube.login import Login
from ocijobs.kube.reads import ObjectReader
from ocijobs.loop_thread import LoopThread
from ocijobs.settings import Settings
from ocijobs.telemetry.metrics import Metrics
from ocijobs.telemetry.server import TelemetryServer
from ocijobs.working_folder import default_place, working_folder

_LOG = logging.getLogger(__name__)

_STUCK_SECONDS = 5.0
"""Seconds. A loop that is in one step for longer is not alive; the chart's probe restarts such a process within a
minute.
"""


class Operator:
    """One process: the leader, or a standby with a warm store.

    Args:
        settings: of the installation.
        login: to the cluster.
        clock: one that a test moves. Leases are then renewed in its loop, instead of a thread of their own.
        metrics: what is scraped; new ones if there are none yet.
        busy_seconds: returns for how many seconds the loop has been in one step; called in any thread.
    """

    def __init__(
        self,
        settings: Settings,
        login: Login,
        clock: Clock | None = None,
        *,
        metrics: Metrics | None = None,
        busy_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._settings = settings
        self._login = login
        self._moved, self._clock = clock is not None, clock or SystemClock()
        self._busy_seconds = busy_seconds
        self.metrics = metrics or Metrics()
        """The metrics; tests of the process read them here."""
        self._stopping = asyncio.Event()
        self._term: Term | None = None
        self._streams, self._answers = Streams(), Answers()
        self.metrics.count_silence(self._streams.silence)
        self.metrics.loop_step_seconds.set_function(busy_seconds)
        self.port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Port of metrics and health, once it is open."""

    @property
    def machinery(self) -> Machinery | None:
        """The parts of the present term; None before the cluster was reached."""
        return None if self._term is None else self._term.parts

    def stop(self) -> None:
        """Ask the operator to end; `run` returns when it has."""
        self._stopping.set()

    async def run(self) -> None:
        """Live until `stop` is called.

        Raises:
            Exception: if the operator can't go on; a restart is the remedy.
        """
        settings = self._settings
        place = settings.staging_folder or default_place("operator")
        instance = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        with working_folder(place) as folder:
            async with (
                KubeClient(
                    self._login, connections=settings.workers + 16, observe=self._note_request
                ) as client,
                FetcherClient(settings, folder) as fetcher,
                self._elector(client, instance) as elector,
                self._serving(),
            ):
                self.metrics.kube_under_way.set_function(lambda: client.under_way)
                cluster_id = await self._cluster_id(ObjectReader(client))
                if cluster_id is None:
                    return
                world = World(
                    settings=settings,
                    clock=self._clock,
                    metrics=self.metrics,
                    login=self._login,
                    client=client,
                    fetcher=fetcher,
                    streams=self._streams,
                    answers=self._answers,
                    cluster_id=cluster_id,
                    instance=instance,
                    stopping=self._stopping,
                )
                while not self._stopping.is_set():
                    await self._serve_term(world, elector, folder)

    async def _serve_term(self, world: World, elector: Elector, folder: Path) -> None:
        """Run one term. Return when the lease is lost."""
        with tempfile.TemporaryDirectory(dir=folder, prefix="artifacts-") as artifacts:
            try:
                async with term_in(world, elector.campaign(), Path(artifacts)) as self._term:
                    await self._term.live()
            except* NotLeadingError as lost:
                _LOG.warning("%s: all that is remembered is dropped", lost.exceptions[0])
                self.metrics.terms_lost.inc()

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        """Serve metrics and health, in a thread that nothing here can block."""
        loop, settings = asyncio.get_running_loop(), self._settings

        async def counted() -> None:
            self.metrics.take_counts()

        async def prepare() -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(counted(), loop))

        server = TelemetryServer(
            self.metrics, alive=self._alive, ready=self._ready, prepare=prepare
        )
        with LoopThread("telemetry") as thread:
            port = await thread.do(server.start(settings.http_host, settings.http_port))
            try:
                self.port.set_result(port)
                yield
            finally:
                await thread.do(server.stop())

    @asynccontextmanager
    async def _elector(self, client: KubeClient, instance: str) -> AsyncIterator[Elector]:
        if self._moved:
            loop = asyncio.get_running_loop()
            yield Elector(client, loop, self._clock, self._settings, instance)
            return
        async with elector_in_thread(
            self._login, self._clock, self._settings, instance, self._note_request
        ) as elector:
            yield elector

    def _note_request(self, verb: str, resource: str, status: int, seconds: float) -> None:
        """Count a request to the API server, from any thread."""
        self.metrics.kube_request(verb, resource, status, seconds)
        self._answers.note(status)

    async def _cluster_id(self, reader: ObjectReader) -> str | None:
        """Return the cluster's identifier in OCI's tags; None if the operator is told to end before it is known."""
        if self._settings.cluster_id is not None:
            return self._settings.cluster_id
        while not self._stopping.is_set():
            try:
                return await reader.namespace_uid("kube-system")
            except ApiError as error:
                _LOG.warning("uid of namespace kube-system not read: %s", error)
                await wait_for(self._stopping, self._clock, FIRST_READ_PAUSE_SECONDS)
        return None

    def _alive(self) -> Mapping[str, bool]:
        term = self._term
        loop = self._busy_seconds() < _STUCK_SECONDS
        return {"loop": loop, "workers": term is None or term.works or self._stopping.is_set()}

    def _ready(self) -> Mapping[str, bool]:
        """The checks of /readyz. A standby is ready, too: its store is filled. `leading` is for people and metrics."""
        term = self._term
        heard = {f"watch of {name}": fresh for name, fresh in self._streams.fresh().items()}
        return {
            "synced": term is not None and term.synced,
            "lease": term is not None and term.lease.in_touch,
            **heard,
        }
