"""The operator within the test, on a clock that the test moves, against the control plane and the local OCI."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import ParamSpec, TypeVar

import aiohttp
from tests.support.fetching import shared_fetcher_url
from tests.support.patience import patience
from tests.support.stage import Stage

from ocijobs.api.crd import KINDS
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.operator import Operator
from ocijobs.kube.login import load_login
from ocijobs.settings import Settings
from ocijobs.telemetry.metrics import Metrics
from ocijobs.testing import ManualClock, ShiftedClock

P = ParamSpec("P")
T = TypeVar("T")

# Of the operator's own defaults, but for a lease that outlives the jumps of the clock.
LONG_LEASE = {"lease_duration_seconds": 7200, "lease_renew_seconds": 600}

_QUIET_TURNS = 20
"""Turns of the event loop in which nothing happens: more than it takes from any answer to the next request."""


class Inside:
    """An operator in the test's own event loop, with a clock of its own."""

    def __init__(self, stage: Stage, clock: ManualClock | ShiftedClock) -> None:
        self.stage, self.clock = stage, clock
        self.held: Callable[[], int] = lambda: 0
        """How many calls to OCI are answered only when time passes."""
        self._operator: Operator | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, **changes: object) -> None:
        """Start it with those settings; the kubeconfig is that of its own service account."""
        settings = Settings.model_validate(
            {
                "oci_endpoint": self.stage.emulator.http,
                "watch_namespaces": [self.stage.namespace],
                "operator_namespace": self.stage.home,
                "http_host": "127.0.0.1",
                "http_port": 0,
                "fetcher_url": shared_fetcher_url(),
                **LONG_LEASE,
                **changes,
            }
        )
        self._operator = Operator(settings, await load_login(), self.clock)
        self._task = asyncio.create_task(self._operator.run())

    async def stop(self) -> None:
        """End it in order; one that was killed has ended."""
        if self._operator is not None and self._task is not None and not self._task.done():
            self._operator.stop()
            await self._task

    async def kill(self) -> None:
        """End it where it stands: it gives back nothing."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def until_ready(self) -> None:
        """Return when it has listed everything and heard of the lease, whoever holds it."""
        await self._until_it_answers("/readyz", lambda status, _: status == HTTPStatus.OK)

    async def until_leading(self) -> None:
        """Return when it says of itself that it leads."""
        await self._until_it_answers("/metrics", lambda _, text: "\nocijobs_leader 1.0" in text)

    @property
    def metrics(self) -> Metrics:
        """What is counted in it."""
        return self._started.metrics

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._task is not None and not self._task.done()

    async def until_at_rest(self) -> None:
        """Return when nothing is under way, so that all that is left waits for its time or for news.

        Raises:
            RuntimeError: if the operator has ended.
        """
        turns = 0
        async with asyncio.timeout(patience(60)):
            while turns < _QUIET_TURNS:
                if not self.running:
                    raise RuntimeError("the operator has ended")
                busy = self._is_busy()
                turns = 0 if busy else turns + 1
                await asyncio.sleep(0.002 if busy else 0)

    def _is_busy(self) -> bool:
        parts = self._started.machinery
        if parts is None:
            # Before it has its parts, it asks the API server for the cluster.
            return True
        # What waits for time to pass has nothing to do now.
        waiting = parts.calls.waiting + self.held()
        return bool(
            len(parts.queue)
            or parts.queue.active + parts.jobs.under_way > waiting
            or parts.calls.under_way > self.held()
            or parts.client.under_way
        )

    @property
    def writes(self) -> int:
        """How often it has written an object or its status."""
        return self._written(("", "/status"))

    @property
    def writes_to_be_seen(self) -> int:
        """How often it has written what it learns from the watch alone: an object is made, changed or let go."""
        return self._written(("",))

    def _written(self, subresources: tuple[str, ...]) -> int:
        written = {f"{kind.plural}{each}" for kind in KINDS for each in subresources}
        samples = next(iter(self._started.metrics.kube_requests.collect())).samples
        return sum(
            int(sample.value)
            for sample in samples
            if sample.name.endswith("_total")
            and sample.labels["verb"] != "GET"
            and sample.labels["resource"] in written
        )

    def seen(self) -> dict[ObjectKey, str]:
        """Return the objects that it has seen, each with the resourceVersion."""
        parts = self._started.machinery
        if parts is None:
            return {}
        entries = (parts.store.get(key) for key in parts.store.all_keys())
        return {e.key: e.metadata.resource_version for e in entries if e is not None}

    @property
    def _started(self) -> Operator:
        if self._operator is None:
            raise RuntimeError("the operator was not started")
        return self._operator

    async def _until_it_answers(self, path: str, is_so: Callable[[int, str], bool]) -> None:
        url = f"http://127.0.0.1:{await self._started.port}{path}"
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                async with session.get(url) as answer:
                    if is_so(answer.status, await answer.text()):
                        return
                await asyncio.sleep(0.05)

    async def see(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what blocks while the operator goes on: a command, or waiting for what comes of it."""
        return await asyncio.to_thread(look, *args, **kwargs)
