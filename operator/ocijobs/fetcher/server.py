"""The server of the fetcher: it takes requests, starts a disposable child for each, and streams what that has built."""

from __future__ import annotations

import asyncio
import errno
import hmac
import logging
import os
import select
import shutil
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from pydantic import ValidationError

from ocijobs.fetcher.forking import Child, Ended, Nursery
from ocijobs.fetcher.protocol import (
    CONTENT_TYPE,
    HEALTH_PATH,
    MOST_ANSWER_BYTES,
    MOST_REQUEST_BYTES,
    PATH,
    FetchAnswer,
    FetchRefusal,
    FetchRequest,
    Limits,
    RefusalKind,
)
from ocijobs.fetcher.worker import ARTIFACT

_LOG = logging.getLogger(__name__)

_CHUNK = 1 << 18

_LOOK_SECONDS = 0.5
"""Seconds between two checks of how much of the disk a child uses."""

_DISK_SLACK_BYTES = 64 << 20
"""Bytes that a child may have on disk beside the files and the artifact: names, an index, half a fetch."""


async def serve(
    nursery: Nursery,
    listener: socket.socket,
    folder: Path,
    *,
    at_a_time: int,
    token_file: Path | None,
    lifeline: bool,
) -> int:
    """Serve until SIGTERM or SIGINT, or the end of the nursery; return the exit code.

    Args:
        nursery: where children come from.
        listener: the socket.
        folder: an empty folder to work in.
        at_a_time: how many requests are handled at the same time.
        token_file: file with the token that clients must send; None if nobody else can reach the socket.
        lifeline: whether the server ends when standard input ends.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if lifeline:
        loop.add_reader(sys.stdin.fileno(), stopping.set)
    alive = os.pidfd_open(nursery.pid)
    loop.add_reader(alive, stopping.set)
    fetcher = Fetcher(nursery, folder, at_a_time=at_a_time, token_file=token_file)
    # Whoever hangs up ends the work: nobody would take what comes of it.
    runner = web.AppRunner(
        fetcher.app(), handler_cancellation=True, access_log=None, shutdown_timeout=5
    )
    await runner.setup()
    await web.SockSite(runner, listener).start()
    _LOG.info("the fetcher serves at %s", listener.getsockname())
    await stopping.wait()
    fetcher.stop()
    dead = bool(select.select([alive], [], [], 0)[0])
    loop.remove_reader(alive)
    os.close(alive)
    await runner.cleanup()
    nursery.close()
    if dead:
        _LOG.error("the process that others are forked from has ended: the fetcher can't go on")
    return int(dead)


class Fetcher:
    """Answers requests.

    Args:
        nursery: where children come from.
        folder: an empty folder, in which each child has its own.
        at_a_time: how many children there may be; further requests wait.
        token_file: file with the token that clients must send; None if nobody else can reach the socket.
    """

    def __init__(
        self, nursery: Nursery, folder: Path, *, at_a_time: int, token_file: Path | None = None
    ) -> None:
        self._nursery, self._folder, self._token_file = nursery, folder, token_file
        self._turns = asyncio.Semaphore(at_a_time)
        self._stopping = asyncio.Event()
        self._ends: set[asyncio.Task[None]] = set()

    def app(self) -> web.Application:
        """Return the routes of the server."""
        app = web.Application(client_max_size=MOST_REQUEST_BYTES)
        app.add_routes([web.post(PATH, self._fetch), web.get(HEALTH_PATH, self._health)])
        return app

    def stop(self) -> None:
        """Tell waiting clients that the server ends, which is not the fault of their source."""
        self._stopping.set()

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _fetch(self, asked: web.Request) -> web.StreamResponse:
        if not self._may_ask(asked):
            return web.Response(
                status=HTTPStatus.UNAUTHORIZED, text="the token is not the fetcher's\n"
            )
        body = await asked.read()
        try:
            request = FetchRequest.model_validate_json(body)
        except ValidationError as error:
            # Without what was found there: it may be a secret.
            told = "; ".join(f"{e['loc']}: {e['msg']}" for e in error.errors(include_input=False))
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=f"no request: {told}\n")
        async with self._turns:
            try:
                with self._place() as folder:
                    answer = await self._have_done(request, body, folder)
                    return await self._stream(asked, answer, folder)
            except OSError as error:
                if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                    raise
                return await self._stream(asked, _full(request), None)

    def _may_ask(self, asked: web.Request) -> bool:
        if self._token_file is None:
            return True
        # As it is now: Kubernetes renews the file when the Secret changes.
        token = self._token_file.read_text().strip()
        given = asked.headers.get("Authorization", "")
        return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())

    @contextmanager
    def _place(self) -> Iterator[Path]:
        """Provide a folder for one child; it is deleted afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            yield folder
        finally:
            removal = asyncio.create_task(asyncio.to_thread(shutil.rmtree, folder))
            self._ends.add(removal)
            removal.add_done_callback(self._ends.discard)

    async def _have_done(self, request: FetchRequest, body: bytes, folder: Path) -> FetchAnswer:
        """Have a child handle the request. It and all that it started have ended when this returns or is cancelled."""
        content = os.memfd_create("request")
        try:
            os.write(content, body)
            os.lseek(content, 0, os.SEEK_SET)
            # On the disk, where what the child writes is bounded; but by no name that it could take for another.
            with tempfile.TemporaryFile(dir=folder) as answer:
                child = self._nursery.start(content, answer.fileno(), str(folder))
                try:
                    ended, why = await self._watched(child, request.limits, folder)
                finally:
                    child.close()
                told = None
                if why is None and ended is not None and ended.code == 0:
                    told = _told(answer.fileno())
                return told or _died(request, ended, why)
        finally:
            os.close(content)

    async def _watched(
        self, child: Child, limits: Limits, folder: Path
    ) -> tuple[Ended | None, str | None]:
        """Wait for a child's end. Return how it ended and, if it was ended for a limit, which limit."""
        looks = asyncio.create_task(_too_much(limits, folder))
        stopping = asyncio.create_task(self._stopping.wait())
        end = asyncio.create_task(child.ended())
        try:
            await asyncio.wait({looks, end, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if end.done():
                return end.result(), None
            child.kill()
            ended = await end
            if stopping.done():
                raise web.HTTPServiceUnavailable(text="the fetcher is ending\n")
            return ended, looks.result()
        except asyncio.CancelledError:
            # Nobody waits for it any more. Its folder is removed when it has ended.
            child.kill()
            await _despite_cancellation(end)
            raise
        finally:
            looks.cancel()
            stopping.cancel()

    async def _stream(
        self, asked: web.Request, answer: FetchAnswer, folder: Path | None
    ) -> web.StreamResponse:
        file = None
        if answer.artifact is not None and folder is not None:
            file = _opened(folder / ARTIFACT, answer.artifact.size)
        try:
            response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
            await response.prepare(asked)
            await response.write(answer.model_dump_json(exclude_defaults=True).encode() + b"\n")
            while file is not None and (chunk := os.read(file, _CHUNK)):
                await response.write(chunk)
            await response.write_eof()
            return response
        finally:
            if file is not None:
                os.close(file)


def _told(answer: int) -> FetchAnswer | None:
    """Return what a child has written, if it can be read. The child has handled foreign bytes, so it is not trusted."""
    try:
        return FetchAnswer.model_validate_json(os.pread(answer, MOST_ANSWER_BYTES, 0))
    except ValidationError:
        _LOG.exception("a child has ended well and written no answer")
        return None


def _where(request: FetchRequest) -> str:
    return f"spec.runtime.{request.runtime.name if request.runtime is not None else '*'}.source"


def _full(request: FetchRequest) -> FetchAnswer:
    message = f"{_where(request)}: the fetcher's disk is full"
    return FetchAnswer(refusal=FetchRefusal(kind=RefusalKind.FULL, message=message))


def _died(request: FetchRequest, ended: Ended | None, why: str | None) -> FetchAnswer:
    where = _where(request)
    kind = RefusalKind.LIMIT
    if why is None and ended is not None and ended.code == -signal.SIGXCPU:
        limit = request.limits.cpu_seconds
        why = f"more than {limit} s of processor time (setting sourceCpuSeconds)"
    if why is not None:
        message = f"reading it needs {why}: make it smaller, or raise the limit"
    else:
        kind = RefusalKind.DIED
        how = "with the fetcher" if ended is None else _end_of(ended.code)
        message = f"the process that read it ended {how}; the fetcher's log may say why"
    _LOG.warning("%s of OCIJob %s: %s", where, request.job_name, message)
    return FetchAnswer(refusal=FetchRefusal(kind=kind, message=f"{where}: {message}"))


def _end_of(code: int) -> str:
    if code == -signal.SIGKILL:
        return "by SIGKILL, as where memory is short"
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"


async def _too_much(limits: Limits, folder: Path) -> str:
    """Return when a child exceeds a limit, with the name of the limit."""
    loop = asyncio.get_running_loop()
    # The child ends its fetching by itself; what follows takes processor time, and some for the disk.
    until = loop.time() + limits.seconds + limits.cpu_seconds
    most = 2 * limits.artifact_bytes + _DISK_SLACK_BYTES
    while loop.time() < until:
        await asyncio.sleep(_LOOK_SECONDS)
        if await asyncio.to_thread(_size, folder) > most:
            return f"more than {most} bytes on the disk (setting artifactLimitBytes)"
    return f"more than {limits.seconds + limits.cpu_seconds:g} s (setting sourceTimeoutSeconds)"


def _size(folder: Path) -> int:
    """Return how many bytes a folder uses on the disk. A file that is deleted meanwhile counts as nothing."""
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(where, name)).st_blocks * 512  # noqa: PTH118 - of many
            except FileNotFoundError:
                continue
    return total


def _opened(path: Path, size: int) -> int:
    """Open an artifact.

    Raises:
        OSError: if its size is not the one that was announced.
    """
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_size != size:
        os.close(file)
        raise OSError(f"the artifact has {found.st_size} bytes, and {size} were announced")
    return file


async def _despite_cancellation(task: asyncio.Task[Ended | None]) -> None:
    """Wait for a task that is about to end, even if the waiting task was cancelled."""
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            continue
