"""The operator's own small server: /metrics, /healthz (is it alive?) and /readyz (does it serve?).

Liveness depends on the event loop and the workers only: if the cluster or OCI can't be reached, a restart of this
process does not help. It answers from a thread of its own, so that it can report that the loop is busy.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ocijobs.telemetry.metrics import Metrics

Checks = Callable[[], Mapping[str, bool]]
"""Checks by name, each passed or not."""


_PREPARE_SECONDS = 2.0
"""How long a scrape waits for the loop to count objects. If the loop is busy for longer, it gets the last counts."""


class PortError(Exception):
    """The port of metrics and health can't be opened; the message says why."""


async def _nothing() -> None:
    """Prepare nothing."""


class TelemetryServer:
    """Serves metrics and health over HTTP.

    Args:
        metrics: what is scraped.
        alive: checks of /healthz.
        ready: checks of /readyz.
        prepare: awaited before each scrape.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        alive: Checks,
        ready: Checks,
        prepare: Callable[[], Awaitable[object]] = _nothing,
    ) -> None:
        self._metrics, self._alive, self._ready = metrics, alive, ready
        self._prepare = prepare
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Open the port and return its number.

        Raises:
            PortError: if the port can't be opened.
        """
        application = web.Application()
        application.router.add_get("/metrics", self._serve_metrics)
        application.router.add_get("/healthz", self._serve_alive)
        application.router.add_get("/readyz", self._serve_ready)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortError(f"port {port} of {host} can't be opened: {error.strerror}") from error
        address = self._runner.addresses[0]
        return int(address[1])

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve_metrics(self, _: web.Request) -> web.Response:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PREPARE_SECONDS):
                await self._prepare()
        body = generate_latest(self._metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _serve_alive(self, _: web.Request) -> web.Response:
        return _answer(self._alive())

    async def _serve_ready(self, _: web.Request) -> web.Response:
        return _answer(self._ready())


def _answer(checks: Mapping[str, bool]) -> web.Response:
    return web.Response(
        status=200 if all(checks.values()) else 503,
        text=json.dumps(dict(checks)) + "\n",
        content_type="application/json",
    )
