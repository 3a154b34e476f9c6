"""The watch can't go blind: whatever the API server does for a while, every stream is back afterwards."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle

import pytest
import pytest_asyncio
from kubernetes.aio.client import Configuration
from tests.support.api_server import OURS, ApiServer, Fault
from tests.support.patience import patience

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.store import Store
from ocijobs.controller.streams import OURS as OUR_RESOURCES
from ocijobs.controller.streams import (
    WORKLOADS,
    Answers,
    Resources,
    Stream,
    Streams,
    Watched,
    WatchTimes,
    stream_of,
)
from ocijobs.controller.watch import WatchEndedError, watch
from ocijobs.kube.login import Credentials, Login
from ocijobs.telemetry.logs import lower_retries

pytestmark = pytest.mark.asyncio

SHORT = WatchTimes(
    connect_seconds=5,
    request_seconds=0.5,
    silent_seconds=0.5,
    longest_pause_seconds=0.1,
    again_seconds=0.05,
    look_seconds=0.05,
)
"""What the operator waits for minutes for; nothing here says how long it takes."""


def login_to(server: ApiServer) -> Login:
    """Return a login without any credentials."""
    return Login(
        lambda: Credentials(configuration=Configuration(host=server.url), authorization=None)
    )


@dataclass
class Watching:
    """A watch of all streams, and what it has brought."""

    server: ApiServer
    store: Store
    streams: Streams
    answers: Answers
    gaps: list[None]
    watched: Watched
    changed: asyncio.Event
    task: asyncio.Task[None]

    async def until_seen(self, resource: str, name: str, *, gone: bool = False) -> None:
        """Return when the store has an object, or has it no more."""
        kind = {**OURS, "workloads": "Workload"}[resource]
        while (self.store.get(ObjectKey(kind, "team", name)) is None) is not gone:
            self.changed.clear()
            await self.changed.wait()

    async def check_every_stream(self, name: str) -> None:
        """Make an object of each resource, and return when the watch has brought all."""
        for _, _, resource in self.watched.resources:
            await self.server.put(resource, name)
        for _, _, resource in self.watched.resources:
            await self.until_seen(resource, name)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        yield server


@pytest.fixture(autouse=True, scope="module")
def _what_kopf_leaves_is_collected() -> Iterator[None]:
    """Kopf leaves tasks behind whose errors are told when they are collected: here, and not in another file's tests."""
    yield
    gc.collect()


@asynccontextmanager
async def watching(
    server: ApiServer,
    *,
    resources: Resources = (*OUR_RESOURCES, *WORKLOADS),
    stale_seconds: float = 120,
    wanted: Callable[[], Awaitable[bool]] | None = None,
) -> AsyncIterator[Watching]:
    """Watch for as long as the block lasts; one that does not come back fails its test."""
    store, changed = Store(), asyncio.Event()
    store.listen(lambda *_: changed.set())
    gaps: list[None] = []
    streams, answers = Streams(stale_seconds), Answers()
    watched = Watched(
        store=store,
        login=login_to(server),
        streams=streams,
        answers=answers,
        gap=lambda: gaps.append(None),
        namespaces=(),
        resources=resources,
        times=SHORT,
    )
    async with asyncio.timeout(patience(45)):
        task = asyncio.create_task(watch(watched) if wanted is None else watch(watched, wanted))
        yield Watching(server, store, streams, answers, gaps, watched, changed, task)
        if not task.done():
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


ALL = (*OURS, "workloads")


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
async def test_after_any_fault_at_the_start_every_stream_is_there(
    server: ApiServer, fault: Fault
) -> None:
    server.fail(fault)
    async with watching(server) as w:
        await server.until_failed(times=4)
        server.heal()
        await w.check_every_stream("after")


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
async def test_after_any_fault_in_mid_life_every_stream_is_back(
    server: ApiServer, fault: Fault
) -> None:
    async with watching(server) as w:
        await w.check_every_stream("before")
        server.fail(fault)
        # kopf ends all streams when one of them is told 410.
        await server.until_failed(times=1 if fault is Fault.GONE else len(ALL))
        server.heal()
        await w.check_every_stream("after")


@pytest.mark.parametrize(
    ("fault", "resource"),
    list(zip(cycle([Fault.UNAUTHORIZED, Fault.FORBIDDEN, Fault.HANG]), ALL, strict=False)),
)
async def test_a_stream_that_alone_is_refused_comes_back_and_holds_no_other(
    server: ApiServer, fault: Fault, resource: str
) -> None:
    others = [name for name in ALL if name != resource]
    async with watching(server) as w:
        await w.check_every_stream("before")
        server.fail(fault, resource)
        await server.until_failed(resource, times=3)
        for name in others:
            await server.put(name, "meanwhile")
        for name in others:
            await w.until_seen(name, "meanwhile")
        server.heal()
        await w.check_every_stream("after")


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
async def test_after_a_fault_of_one_stream_alone_every_stream_is_back(
    server: ApiServer, fault: Fault
) -> None:
    """Some faults end kopf, which would then wait for ever for the streams that are well."""
    async with watching(server) as w:
        await w.check_every_stream("before")
        server.fail(fault, "ocijobsweeps")
        await server.until_failed("ocijobsweeps", times=1)
        server.heal()
        await w.check_every_stream("after")


async def test_a_port_that_is_closed_for_a_while_is_no_end(
    server: ApiServer, failures: FailedAttempts
) -> None:
    await server.close()
    async with watching(server) as w:
        await failures.until(4)
        await server.open()
        await w.check_every_stream("first")
        await server.close()
        failures.count = 0
        await failures.until(2 * len(ALL))
        await server.open()
        await w.check_every_stream("second")
    # What is tried again is no error yet.
    assert failures.levels == {"WARNING"}


async def test_what_was_deleted_in_a_gap_is_to_be_looked_for(server: ApiServer) -> None:
    """After a gap kopf lists anew, and tells nobody of what is no more."""
    async with watching(server) as w:
        await w.check_every_stream("before")
        w.gaps.clear()
        server.fail(Fault.UNAVAILABLE, "ocijobruns")
        await server.until_failed("ocijobruns", times=1)
        await server.delete("ocijobruns", "before")
        server.forget_changes()
        server.heal()
        await w.check_every_stream("after")
        assert w.gaps
        assert w.store.get(ObjectKey("OCIJobRun", "team", "before")) is not None


async def test_a_stream_that_stays_broken_while_requests_are_answered_ends_the_watch(
    server: ApiServer,
) -> None:
    server.fail(Fault.FORBIDDEN, "ocijobsweeps")
    async with watching(server, stale_seconds=0.4) as w:
        answered = asyncio.create_task(_answered(w.answers))
        with pytest.raises(
            WatchEndedError,
            match="starting it again did not help: nothing is heard of ocijobsweeps",
        ):
            await w.task
        answered.cancel()


async def test_while_nothing_is_answered_the_watch_goes_on_trying(server: ApiServer) -> None:
    server.fail(Fault.UNAVAILABLE)
    async with watching(server, stale_seconds=0.1) as w:
        # Longer than it would take to begin anew four times, counted in what it has asked for.
        await server.until_failed(times=40)
        assert not w.task.done()
        assert w.streams.fresh() == dict.fromkeys(ALL, False)
        server.heal()
        await w.check_every_stream("after")
        assert w.streams.fresh() == dict.fromkeys(ALL, True)


async def test_a_watch_that_is_not_wanted_any_more_ends_in_order(server: ApiServer) -> None:
    """Kueue may go while the operator runs."""

    async def wanted() -> bool:
        return False

    server.fail(Fault.GONE, "workloads")
    async with watching(server, resources=WORKLOADS, wanted=wanted) as w:
        await w.task
        assert w.streams.silence() == {}


async def _answered(answers: Answers) -> None:
    while True:
        answers.note(200)
        await asyncio.sleep(0.05)


class FailedAttempts(logging.Handler):
    """Counts the attempts that kopf tells of as failed, as the operator logs them."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: set[str] = set()
        self.addFilter(lower_retries)
        self.count, self._loop = 0, asyncio.get_running_loop()
        self._news = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "failed" in record.getMessage():
            self.count += 1
            self.levels.add(record.levelname)
            self._loop.call_soon_threadsafe(self._news.set)

    async def until(self, count: int) -> None:
        """Return when so many have failed."""
        while self.count < count:
            self._news.clear()
            await self._news.wait()


@pytest_asyncio.fixture
async def failures() -> AsyncIterator[FailedAttempts]:
    handler = FailedAttempts()
    logging.getLogger("kopf").addHandler(handler)
    yield handler
    logging.getLogger("kopf").removeHandler(handler)


@pytest.mark.parametrize(
    ("path", "stream"),
    [
        ("/apis/ocijobs.io/v1alpha1/ocijobs", Stream("ocijobs", "")),
        ("/apis/ocijobs.io/v1alpha1/namespaces/a/ocijobs", Stream("ocijobs", "a")),
        ("/k8s/clusters/c/apis/ocijobs.io/v1alpha1/namespaces/a/ocijobs", Stream("ocijobs", "a")),
        ("/api", Stream("api", "")),
    ],
)
async def test_the_stream_that_a_path_is_of(path: str, stream: Stream) -> None:
    assert stream_of(path) == stream
