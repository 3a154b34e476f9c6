"""The operator within the test, on a clock that the test moves, against the control plane and the local OCI."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import ParamSpec, TypeVar

import aiohttp
import pytest
import pytest_asyncio
from tests.support.stage import Stage

from kubecontrolplane.cluster import Cluster
from oci_emulator.testing import Emulator
from ocijobs.controller.operator import Operator
from ocijobs.kube.client import load_configuration
from ocijobs.settings import Settings
from ocijobs.testing import ShiftedClock

P = ParamSpec("P")
T = TypeVar("T")

# Of the operator's own defaults, but for a lease that outlives the jumps of the clock.
LONG_LEASE = {"lease_duration_seconds": 7200, "lease_renew_seconds": 600}


class Inside:
    """An operator in the test's own event loop, with a clock of its own."""

    def __init__(self, stage: Stage, clock: ShiftedClock) -> None:
        self.stage, self.clock = stage, clock
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
                **LONG_LEASE,
                **changes,
            }
        )
        self._operator = Operator(settings, await load_configuration(connections=32), self.clock)
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

    async def until_at_rest(self) -> None:
        """Return when no object waits for a worker and none is worked on: what is left waits for its time."""
        rest = ("\nocijobs_queue_depth 0.0", "\nocijobs_active_workers 0.0")
        await self._until_it_answers("/metrics", lambda _, text: all(line in text for line in rest))

    async def _until_it_answers(self, path: str, is_so: Callable[[int, str], bool]) -> None:
        if self._operator is None:
            raise RuntimeError("the operator was not started")
        url = f"http://127.0.0.1:{await self._operator.port}{path}"
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                async with session.get(url) as answer:
                    if is_so(answer.status, await answer.text()):
                        return
                await asyncio.sleep(0.05)

    async def see(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what blocks while the operator goes on: a command, or waiting for what comes of it."""
        return await asyncio.to_thread(look, *args, **kwargs)


@pytest_asyncio.fixture
async def inside(
    definitions: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Inside]:
    state = tmp_path / "oci"
    state.mkdir()
    with Emulator(state, mode="simulated") as emulator:
        stage = Stage(definitions, namespace, emulator, tmp_path)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "operator.kubeconfig"))
        inside = Inside(stage, ShiftedClock())
        await inside.start()
        try:
            yield inside
        finally:
            await inside.stop()
            stage.clear()
