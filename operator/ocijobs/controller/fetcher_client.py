"""The client of the fetcher: over HTTP, at the address in the settings, or a child process that it starts on demand."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

import aiohttp

from ocijobs.controller.staging import Arrival
from ocijobs.fetcher.protocol import (
    PATH,
    FetchAnswer,
    FetchedArtifact,
    FetchRequest,
    RefusalKind,
    SourceRefusedError,
)
from ocijobs.settings import Settings

_LOG = logging.getLogger(__name__)

_CHUNK = 1 << 20
_CONNECT_SECONDS = 10.0
_WAIT_SECONDS = 300.0
"""Seconds that a request may wait for its turn at the fetcher."""

_END_SECONDS = 5.0
_BACKLOG = 64
_ANSWER_BYTES = 1 << 16

_CHILD_VARIABLES = (
    *("HOME", "LANG", "NO_PROXY", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ"),
    *("HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
_CHILD_PREFIXES = ("PYTHON", "COVERAGE_")
"""Environment variables that the child gets: none that concerns the cluster or OCI."""

Receive = Callable[[FetchedArtifact], AbstractContextManager[Arrival]]
"""Makes room for an artifact."""


class Fetcher(Protocol):
    """A program that reads sources and builds artifacts."""

    async def fetch(self, request: FetchRequest, receive: Receive) -> FetchAnswer:
        """Return the answer to a request; its artifact has been received.

        Raises:
            SourceRefusedError: if the fetcher can't be asked, or the artifact can't be had.
        """
        ...


class FetcherClient:
    """A fetcher that is called over HTTP.

    Args:
        settings: of the operator.
        folder: for a fetcher of this process's own.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._own: OwnFetcher | None = None
        self._url = settings.fetcher_url or ""
        self._token_file = settings.fetcher_token_file
        # A connection that is kept may be to a fetcher which has ended since, and that would look like its end now.
        connector: aiohttp.BaseConnector
        if settings.fetcher_url is None:
            self._own = OwnFetcher(folder)
            connector = aiohttp.UnixConnector(str(self._own.path), force_close=True)
        elif self._url.startswith("unix:"):
            connector = aiohttp.UnixConnector(urlsplit(self._url).path, force_close=True)
        else:
            connector = aiohttp.TCPConnector(force_close=True)
        if isinstance(connector, aiohttp.UnixConnector):
            self._url = "http://fetcher"
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)

    async def __aenter__(self) -> Self:
        """Start nothing yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections, and end the child."""
        await self._session.close()
        if self._own is not None:
            await self._own.stop()

    async def fetch(self, request: FetchRequest, receive: Receive) -> FetchAnswer:
        """Return the answer to a request; its artifact has been received.

        Raises:
            SourceRefusedError: if the fetcher can't be asked, or the artifact can't be had.
        """
        if self._own is None:
            return await self._ask(request, receive)
        asking = asyncio.ensure_future(self._ask(request, receive))
        end = asyncio.ensure_future((await self._own.start()).wait())
        try:
            await asyncio.wait({asking, end}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                # The socket is still there, so nobody would hang up.
                raise SourceRefusedError(RefusalKind.DIED, "the fetcher ended")
            return await asking
        finally:
            for task in (asking, end):
                task.cancel()
            await asyncio.gather(asking, end, return_exceptions=True)

    async def _ask(self, request: FetchRequest, receive: Receive) -> FetchAnswer:
        limits = request.limits
        timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=_CONNECT_SECONDS,
            sock_read=limits.seconds + limits.cpu_seconds + _WAIT_SECONDS,
        )
        try:
            async with self._session.post(
                f"{self._url}{PATH}",
                data=request.model_dump_json(exclude_none=True).encode(),
                headers=await asyncio.to_thread(self._headers),
                timeout=timeout,
                read_bufsize=_ANSWER_BYTES,
            ) as answer:
                if answer.status != HTTPStatus.OK:
                    raise _unreachable(f"it answers {answer.status}: {await answer.text()}")
                return await _taken(answer, receive)
        except aiohttp.ClientConnectorError as error:
            raise _unreachable(str(error)) from error
        except TimeoutError as error:
            raise _unreachable("it does not answer") from error
        except aiohttp.ClientError as error:
            # The connection was there: the fetcher ended with the request under way.
            why = str(error) or type(error).__name__
            raise SourceRefusedError(RefusalKind.DIED, f"the fetcher ended: {why}") from error

    def _headers(self) -> Mapping[str, str]:
        if self._token_file is None:
            return {}
        try:
            return {"Authorization": f"Bearer {self._token_file.read_text().strip()}"}
        except OSError as error:
            raise _unreachable(f"its token can't be read: {error}") from error


async def _taken(answer: aiohttp.ClientResponse, receive: Receive) -> FetchAnswer:
    try:
        told = FetchAnswer.model_validate_json(await answer.content.readline())
    except ValueError as error:
        raise _unreachable("its answer can't be read: it may be of another version") from error
    if told.artifact is not None:
        try:
            with receive(told.artifact) as arrival:
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    await asyncio.to_thread(arrival.write, chunk)
        except aiohttp.ClientError as error:
            # The source was read: whatever happened, it is not to blame.
            raise _unreachable("it ended while the artifact came") from error
    return told


def _unreachable(why: str) -> SourceRefusedError:
    return SourceRefusedError(RefusalKind.UNREACHABLE, f"the fetcher can't be asked: {why}")


class OwnFetcher:
    """A fetcher that is a child of this process: started when it is first needed, and again if it has ended.

    The socket exists before the child, so that clients can connect at once. The child ends with this process, however
    that ends, since its standard input then ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "fetcher.sock"
        """Address of the child."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(_BACKLOG)
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> asyncio.subprocess.Process:
        """Start the child unless it runs, and return it.

        Raises:
            OSError: if there can be no process.
        """
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return self._process
            if self._process is not None:
                _LOG.warning(
                    "the fetcher ended with %s: it is started again", self._process.returncode
                )
            number = self._listener.fileno()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ocijobs.fetcher", "--socket", str(number), "--lifeline"),
                *("--folder", str(self._folder / "fetcher")),
                pass_fds=(number,),
                env={
                    name: value
                    for name, value in os.environ.items()
                    if name in _CHILD_VARIABLES or name.startswith(_CHILD_PREFIXES)
                },
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            return self._process

    async def stop(self) -> None:
        """End the child."""
        self._listener.close()
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
                return
        process.kill()
        await process.wait()
