"""kopf, used to watch and for nothing else. Only this module imports it.

kopf does one thing here: it watches without end, through restarts of the API server and expired versions. It has no
handlers that act, adds no finalizers or annotations, and keeps no state. The periodic list finds what it misses.

Two measures keep it from giving up. It asks without end, with pauses; by default it would end after a minute of 403,
5xx or no answer. And it never sees a 401: after one it would need a login that differs from the failed one, and would
wait for it for ever. Its sessions are the same as those of our other requests, with the same login.

Other errors (410 to a list, an error in a stream, an answer that is not JSON) end it in order: see `_end_streams`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from typing import Any

import aiohttp
import kopf

from ocijobs.api.kueue import KUEUE_GROUP, KUEUE_VERSION, LABEL_RUN
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.store import Store
from ocijobs.controller.streams import Stream, Streams, Watched, WatchTimes, stream_of
from ocijobs.kube.login import Login
from ocijobs.kube.session import open_session

_CLOSING_SECONDS = 0.25
"""Seconds in which TLS connections close; nothing reports when they have.

Source: https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown
"""


_STREAM_TASKS = ("watcher for ", "pause-waiter for ")
"""Prefix of kopf's names for the tasks of streams."""

_STREAMS_END_SECONDS = 5.0
"""Seconds to wait for cancelled streams: they only close a connection."""


class Pauses:
    """Pauses between attempts in seconds: growing, with jitter, without end. Each iteration starts at the beginning."""

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds

    def __iter__(self) -> Iterator[float]:
        """Yield seconds."""
        seconds = min(0.1, self._longest)
        while True:
            yield random.uniform(seconds / 2, seconds)  # noqa: S311 - jitter
            seconds = min(2 * seconds, self._longest)


async def operate(
    watched: Watched,
    feed: Callable[[Callable[[], object]], None],
    stop: asyncio.Event,
) -> None:
    """Watch until `stop` is set, or until kopf gives up.

    Args:
        watched: what, and for whom.
        feed: makes a change in the loop of the store.
        stop: set to end the watch.
    """
    registry = kopf.OperatorRegistry()
    hearing = _Hearing(
        watched.streams, Pauses(watched.times.longest_pause_seconds), lambda: feed(watched.gap)
    )

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:
        """Return a new session each time: kopf closes a session after use, and refuses to use it twice."""
        return _session(watched.login, hearing)

    @kopf.on.cleanup(registry=registry)
    async def cleanup(**_: Any) -> None:
        # kopf would wait five seconds for what awaits it.
        stop.set()
        await _end_streams()

    for resource in watched.resources:
        kopf.on.event(*resource, registry=registry, id="store")(_handler(watched.store, feed))
    await kopf.operator(
        registry=registry,
        settings=_settings(watched.times),
        standalone=True,
        clusterwide=not watched.namespaces,
        namespaces=watched.namespaces,
        stop_flag=stop,
    )
    # The loop ends with this function, and would leave them open.
    await asyncio.sleep(_CLOSING_SECONDS)


async def _end_streams() -> None:
    """Cancel the streams that are left when kopf ends.

    kopf cancels them itself when it is stopped, but not when one of them has failed. Then it closes the session of the
    others. These wait for a login that never comes, ignore their cancellation, and kopf waits for them for ever. Only
    kopf uses this loop, so no other task has such a name.
    """
    streams = {task for task in asyncio.all_tasks() if task.get_name().startswith(_STREAM_TASKS)}
    for stream in streams:
        stream.cancel()
    if streams:
        await asyncio.wait(streams, timeout=_STREAMS_END_SECONDS)


def _handler(store: Store, feed: Callable[[Callable[[], object]], None]) -> Any:
    async def take(event: kopf.RawEvent, **_: Any) -> None:
        document: dict[str, Any] = dict(event["object"])
        meta = document["metadata"]
        if event["type"] == "DELETED":
            key = ObjectKey(document["kind"], meta.get("namespace", ""), meta["name"])
            feed(lambda: store.remove(key, meta["uid"]))
        else:
            feed(lambda: store.put(document))

    return take


def _session(login: Login, hearing: _Hearing) -> kopf.AiohttpSession:
    session = open_session(login, connections=0, outer=(hearing,))
    return kopf.AiohttpSession(server=login.server, aiohttp_session=session)


class _Hearing:
    """The middleware that waits while every login is refused, and notes the answers of each stream."""

    def __init__(self, streams: Streams, pauses: Pauses, gap: Callable[[], None]) -> None:
        self._streams, self._pauses, self._gap = streams, pauses, gap
        self._listed: set[Stream] = set()

    async def __call__(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request until the answer is not a 401."""
        for pause in self._pauses:
            response = await send(request)
            if response.status != HTTPStatus.UNAUTHORIZED:
                self._note(request, response)
                return response
            response.close()
            await asyncio.sleep(pause)
        raise AssertionError("pauses have no end")  # pragma: no cover - they have none

    def _note(self, request: aiohttp.ClientRequest, response: aiohttp.ClientResponse) -> None:
        if response.status != HTTPStatus.OK:
            return
        stream = stream_of(request.url.path)
        self._streams.heard(stream)
        if request.url.query.get("watch") == "true":
            heard: Any = _HeardContent(response.content, lambda: self._streams.heard(stream))
            response.content = heard
        elif "continue" not in request.url.query:
            self._note_list(stream)

    def _note_list(self, stream: Stream) -> None:
        """Note a gap: kopf does not report what was deleted before a list that is not the first."""
        if stream in self._listed:
            self._gap()
        self._listed.add(stream)


class _HeardContent:
    """The content of a watch. Each piece is noted, bookmarks too, of which kopf does not tell its handlers."""

    def __init__(self, content: aiohttp.StreamReader, heard: Callable[[], None]) -> None:
        self._content, self._heard = content, heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield the pieces."""
        async for piece in self._content.iter_chunked(size):
            self._heard()
            yield piece


def _settings(times: WatchTimes) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    # Otherwise kopf wants to list all definitions and namespaces of the cluster, for a minute, before it watches.
    settings.scanning.disabled = True
    # What is cancelled and does not end is let alone; kopf would kill the process.
    settings.process.ultimate_exiting_timeout = None
    settings.queueing.idle_timeout = 0.5
    settings.watching.server_timeout = 600
    settings.watching.connect_timeout = times.connect_seconds
    settings.watching.inactivity_timeout = times.silent_seconds
    settings.watching.chunk_size = 500
    # There may be thousands of Workloads, of pods and of others.
    settings.watching.label_selectors[KUEUE_GROUP, KUEUE_VERSION, "workloads"] = LABEL_RUN
    settings.networking.request_timeout = times.request_seconds
    settings.networking.connect_timeout = times.connect_seconds
    settings.networking.error_backoffs = Pauses(times.longest_pause_seconds)
    return settings
