"""A proxy of HTTP's CONNECT method, which can be cut: what goes through it loses its server, and others don't."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class ConnectProxy:
    """The proxy, in a thread of its own.

    Attributes:
        url: where it is.
        connections: how many it has made.
    """

    def __init__(self) -> None:
        self.url, self.connections = "", 0
        self._cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._refused = threading.Condition()
        self._refusals = 0

    def cut(self) -> None:
        """End what goes through, and let nothing through any more."""
        self._cut, self._refusals = True, 0
        self._loop.call_soon_threadsafe(self._end_all)

    def mend(self) -> None:
        """Let everything through again."""
        self._cut = False

    def until_refused(self, times: int, timeout: float) -> None:
        """Return when so many connections were refused since it was cut.

        Raises:
            TimeoutError: if they are not in time.
        """
        with self._refused:
            if not self._refused.wait_for(lambda: self._refusals >= times, timeout):
                raise TimeoutError(f"{self._refusals} connections were refused")

    def _end_all(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._connect(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *_ = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        method, place, _ = line.split()
        if method != "CONNECT" or self._cut:
            with self._refused:
                self._refusals += 1
                self._refused.notify_all()
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            return
        host, _, port = place.rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        self.connections += 1
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._writers.add(back)
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        finally:
            self._writers.discard(back)
            back.close()

    def run(self, started: threading.Event) -> None:
        """Serve until the loop is stopped."""
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        self._loop.run_forever()
        server.close()
        self._end_all()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def end(self) -> None:
        """Have the thread end."""
        self._loop.call_soon_threadsafe(self._loop.stop)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


@contextmanager
def connect_proxy() -> Iterator[ConnectProxy]:
    """Give a proxy for the length of the block."""
    proxy, started = ConnectProxy(), threading.Event()
    thread = threading.Thread(target=proxy.run, args=(started,), daemon=True)
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        proxy.end()
        thread.join()
