"""The operator's own server, over real HTTP."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from ocijobs.telemetry import logs
from ocijobs.telemetry import server as server_module
from ocijobs.telemetry.metrics import Metrics
from ocijobs.telemetry.server import PortError, TelemetryServer


async def _nothing() -> None:
    """Prepare nothing."""


class Asked:
    """A server whose checks the test sets, and what it answers."""

    def __init__(self) -> None:
        self.alive: dict[str, bool] = {"loop": True, "workers": True}
        self.ready: dict[str, bool] = {"synced": True}
        self.metrics = Metrics()
        self.prepare: Callable[[], Awaitable[object]] = _nothing

    def get(self, *paths: str) -> list[tuple[int, str, str]]:
        """Return status, media type and text of each answer."""
        return asyncio.run(self._get(paths))

    async def _get(self, paths: tuple[str, ...]) -> list[tuple[int, str, str]]:
        server = TelemetryServer(
            self.metrics,
            alive=lambda: self.alive,
            ready=lambda: self.ready,
            prepare=self.prepare,
        )
        port = await server.start("127.0.0.1", 0)
        answers = []
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                for path in paths:
                    async with session.get(path) as answer:
                        answers.append((answer.status, answer.content_type, await answer.text()))
        finally:
            await server.stop()
        return answers


def test_all_is_well() -> None:
    alive, ready = Asked().get("/healthz", "/readyz")
    assert alive == (200, "application/json", '{"loop": true, "workers": true}\n')
    assert ready == (200, "application/json", '{"synced": true}\n')


@pytest.mark.parametrize("failed", ["loop", "workers"])
def test_a_failed_check_makes_it_unhealthy_and_is_named(failed: str) -> None:
    asked = Asked()
    asked.alive[failed] = False
    (status, _, text), (ready, _, _) = asked.get("/healthz", "/readyz")
    assert status == 503
    assert json.loads(text)[failed] is False
    assert ready == 200


def test_what_is_not_ready_is_alive_all_the_same() -> None:
    asked = Asked()
    asked.ready["synced"] = False
    (alive, _, _), (ready, _, text) = asked.get("/healthz", "/readyz")
    assert (alive, ready) == (200, 503)
    assert json.loads(text) == {"synced": False}


def test_metrics_are_in_prometheus_format() -> None:
    asked = Asked()
    asked.metrics.followed.set(7)
    ((status, kind, text),) = asked.get("/metrics")
    assert (status, kind) == (200, "text/plain")
    assert "\nocijobs_followed_runs 7.0\n" in text
    assert "# TYPE ocijobs_followed_runs gauge" in text


def test_metrics_are_served_while_the_loop_that_counts_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "_PREPARE_SECONDS", 0.01)
    asked = Asked()
    asked.prepare = asyncio.Event().wait
    ((status, _, text),) = asked.get("/metrics")
    assert status == 200
    assert "ocijobs_followed_runs" in text


def test_nothing_else_is_served() -> None:
    assert [status for status, _, _ in Asked().get("/", "/debug", "/healthz/")] == [404] * 3


def test_a_port_can_be_opened_once_and_again_after_it_was_closed() -> None:
    async def scenario() -> None:
        metrics = Metrics()
        one, other = (TelemetryServer(metrics, alive=dict, ready=dict) for _ in range(2))
        await other.stop()  # was never started
        port = await one.start("127.0.0.1", 0)
        with pytest.raises(PortError, match=f"port {port} of 127.0.0.1 can't be opened"):
            await other.start("127.0.0.1", port)
        await one.stop()
        assert await other.start("127.0.0.1", port) == port
        await other.stop()

    asyncio.run(scenario())


# Logs


@pytest.fixture
def _own_logging() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    names = ("kopf", "aiohttp.access", "oci", "kubernetes")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)


def _lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.mark.usefixtures("_own_logging")
def test_each_log_line_is_one_object_whatever_is_in_it(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    log = logging.getLogger("ocijobs.test")
    log.info("two\nlines of %s", "größe")
    log.debug("not shown")
    try:
        int("the cause")
    except ValueError:
        log.exception("failed")
    first, second = _lines(capfd)
    assert (first["level"], first["logger"]) == ("INFO", "ocijobs.test")
    assert first["message"] == "two\nlines of größe"
    assert first["time"]
    assert "ValueError: invalid literal for int()" in second["exc_info"]


@pytest.mark.usefixtures("_own_logging")
@pytest.mark.parametrize(("level", "shown"), [("DEBUG", 1), ("WARNING", 1), ("ERROR", 0)])
def test_other_packages_are_quiet_but_for_warnings(
    capfd: pytest.CaptureFixture[str], level: str, shown: int
) -> None:
    logs.configure(level)
    other = logging.getLogger("kopf.objects")
    other.info("an event")
    other.warning("a warning")
    assert len(_lines(capfd)) == shown
