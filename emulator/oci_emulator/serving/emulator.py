"""An emulator: the ports at which a cloud is reached, and the cloud behind them."""

import asyncio
import errno
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from aiohttp import web

from oci_emulator import page
from oci_emulator.certificates.authority import Authority
from oci_emulator.control.api import PREFIX, ControlApi
from oci_emulator.control.call import ControlCall
from oci_emulator.formats.jsontypes import JsonObject, compact
from oci_emulator.server.proxy import ConnectProxy
from oci_emulator.serving.cloud import Cloud, Endpoints
from oci_emulator.serving.reset import settings_of
from oci_emulator.serving.settings import HOST, Settings, StartError
from oci_emulator.serving.statedir import StateDirectory

_SHUTDOWN_SECONDS = 2.0
"""How long requests may go on when the emulator stops; who waits for the journal waits longer."""
_RESET = "reset"

_logger = logging.getLogger(__name__)


class Emulator:
    """A local cloud that listens.

    Raises:
        StartError: another emulator has the directory, or a setting can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = StateDirectory(settings.state)
        self._authority = Authority(settings.state)
        self._cloud = Cloud(settings, self._authority)
        self._tenancy = self._cloud.tenancy
        self._control = ControlApi([("POST", _RESET, self._reset)])
        self._server = web.Server(self._serve, access_log=None, auto_decompress=False)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=_SHUTDOWN_SECONDS)
        self._proxy = ConnectProxy(self._authority, self._server)
        self._ports = (0, 0)
        self._requests: set[asyncio.Task[Any]] = set()
        self._open = asyncio.Event()
        self._resetting = asyncio.Lock()
        self._threads = ThreadPoolExecutor()

    async def start(self) -> JsonObject:
        """Start everything; what clients need to know."""
        asyncio.get_running_loop().set_default_executor(self._threads)
        self._ports = await self._listen(
            *json.loads(self._cloud.database.fact("ports") or "[0, 0]")
        )
        return self._open_cloud()

    async def stop(self) -> None:
        """Stop everything: processes of runs are ended, and no state is changed for it."""
        await self._proxy.close()
        await self._cloud.stop()
        await self._runner.cleanup()
        self._cloud.close()
        self._state.close()

    def _open_cloud(self) -> JsonObject:
        """Let the cloud have requests; what clients need to know."""
        self._cloud.database.set_fact("ports", compact(self._ports))
        endpoints = Endpoints(
            http=f"http://{HOST}:{self._ports[0]}", proxy=f"http://{HOST}:{self._ports[1]}"
        )
        known = self._cloud.start(endpoints)
        self._open.set()
        announcement = {
            "http": endpoints.http,
            "proxy": endpoints.proxy,
            "ca": str(self._authority.certificate_path),
            **known,
            "pid": os.getpid(),
        }
        self._state.announce(announcement)
        return announcement

    # Requests

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if not request.secure:
            if page.serves(request):
                return page.answer(request)
            if request.path == f"{PREFIX}{_RESET}":
                return await self._control(request)
        while not self._open.is_set():
            await self._open.wait()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is answered by a task")
        self._requests.add(task)
        try:
            return await self._cloud.answer(request)
        finally:
            self._requests.discard(task)

    # A new cloud

    async def _reset(self, call: ControlCall) -> JsonObject:
        """Put a new cloud in the place of the one that is there.

        Ports, certificate authority, and what clients were told remain. The old cloud's requests are
        cut off, and its objects are not used again: nothing of it can reach the new one.

        Raises:
            ValueError: an option can't be used; nothing was changed.
        """
        settings = settings_of(self._settings, call.body)
        async with self._resetting:
            known = replace(self._cloud.known(), tenancy=self._tenancy)
            self._open.clear()
            try:
                await self._end_cloud()
                self._cloud = Cloud(settings, self._authority, known)
                return self._open_cloud()
            except BaseException:
                _logger.critical("the reset failed: the emulator ends")
                signal.raise_signal(signal.SIGTERM)
                raise

    async def _end_cloud(self) -> None:
        """End the cloud, its requests, runs and threads, and forget its state."""
        for task in self._requests:
            task.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        await self._cloud.stop()
        self._cloud.close()
        former, self._threads = self._threads, ThreadPoolExecutor()
        asyncio.get_running_loop().set_default_executor(self._threads)
        await asyncio.to_thread(former.shutdown)
        await asyncio.to_thread(self._state.clear)

    # Ports

    async def _listen(self, last_http: int, last_proxy: int) -> tuple[int, int]:
        """Take both ports: those that were asked for, else those of the last time, else any."""
        await self._runner.setup()
        http_port = await _first_free(self._listen_http, self._settings.http_port, last_http)
        proxy_port = await _first_free(self._listen_proxy, self._settings.proxy_port, last_proxy)
        if self._settings.oke_port:
            await self._listen_oke(self._settings.oke_port)
        return http_port, proxy_port

    async def _listen_http(self, port: int) -> int:
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def _listen_proxy(self, port: int) -> int:
        return await self._proxy.start(HOST, port)

    async def _listen_oke(self, port: int) -> None:
        context = self._authority.context(HOST)
        try:
            await web.TCPSite(self._runner, HOST, port, ssl_context=context).start()
        except OSError as error:
            raise StartError(f"port {port} can't be listened on: {error.strerror}") from None


async def _first_free(listen: Callable[[int], Awaitable[int]], wanted: int, last: int) -> int:
    """Listen at the wanted port, or if any will do, at the last one or another."""
    for port in [wanted] if wanted else [last, 0]:
        try:
            return await listen(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise StartError(f"port {wanted} is taken")
