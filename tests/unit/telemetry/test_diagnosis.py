"""What a process that runs can be asked for: its stacks, and more words."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.patience import patience

from ocijobs.controller import process
from ocijobs.settings import SETTINGS_FILE_VARIABLE, load
from ocijobs.telemetry import logs
from ocijobs.telemetry.diagnosis import DEBUG, DUMP, signals_heeded


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    levels = {
        name: logging.getLogger(name).level
        for name in ("kopf", "aiohttp.access", "oci", "kubernetes")
    }
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)


class News(logging.Handler):
    """Lines that are logged from now on."""

    def __init__(self) -> None:
        super().__init__()
        self._loop, self._lines = asyncio.get_running_loop(), asyncio.Queue[logging.LogRecord]()
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._loop.call_soon_threadsafe(self._lines.put_nowait, record)

    async def next(self, text: str) -> logging.LogRecord:
        """Return the next line with a text."""
        async with asyncio.timeout(patience(20)):
            while True:
                record = await self._lines.get()
                if text in record.getMessage():
                    return record


def heeding(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run something in a loop that heeds the signals."""

    async def heeded() -> None:
        with signals_heeded(asyncio.get_running_loop()):
            await work()

    asyncio.run(heeded())


def test_a_signal_brings_the_stacks_of_all_threads_and_tasks(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.configure("INFO")
    leave = threading.Event()

    def wait_elsewhere() -> None:
        leave.wait()

    async def wait_for_something() -> None:
        await asyncio.Event().wait()

    async def work() -> None:
        news = News()
        thread = threading.Thread(target=wait_elsewhere)
        thread.start()
        task = asyncio.create_task(wait_for_something(), name="the one that waits")
        await asyncio.sleep(0)
        os.kill(os.getpid(), DUMP)
        await news.next("tasks")
        leave.set()
        thread.join()
        task.cancel()

    heeding(work)
    text = capfd.readouterr().err
    assert "wait_elsewhere" in text
    [line] = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert "await asyncio.Event().wait()" in line["tasks"]["the one that waits"]


def test_a_signal_has_everything_logged_and_the_next_one_no_more(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.configure("WARNING")

    async def work() -> None:
        news = News()
        for level in ("DEBUG", "WARNING"):
            os.kill(os.getpid(), DEBUG)
            await news.next(f"log level: {level}")
            logging.getLogger("ocijobs.test").debug("a detail at %s", level)
            logging.getLogger("kopf.objects").info("an event")

    heeding(work)
    text = capfd.readouterr().err
    assert "a detail at DEBUG" in text
    assert "a detail at WARNING" not in text
    assert "an event" not in text


def test_the_log_level_follows_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a ConfigMap is mounted: a link leads to another folder when it changes."""
    monkeypatch.setattr(process, "_SETTINGS_SECONDS", 0.01)
    monkeypatch.setenv(SETTINGS_FILE_VARIABLE, str(tmp_path / "data" / "settings.yaml"))
    for name in [name for name in os.environ if name.startswith("OCIJOBS_LOG")]:
        monkeypatch.delenv(name)

    def mount(folder: str, text: str) -> None:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "settings.yaml").write_text(text)
        (tmp_path / "next").symlink_to(folder)
        (tmp_path / "next").replace(tmp_path / "data")

    mount("one", "workers: 3\n")
    logs.configure("INFO")

    async def work() -> None:
        news = News()
        task = asyncio.create_task(process._follow_settings(load()))
        await asyncio.sleep(0)
        mount("two", "workers: 4\nlogLevel: DEBUG\n")
        told = await news.next("the settings have changed")
        assert "the log level is DEBUG; at the next start: workers" in told.getMessage()
        assert logging.getLogger().level == logging.DEBUG
        mount("three", "workers: none\nlogLevel: ERROR\n")
        told = await news.next("the former ones stay")
        assert "workers" in told.getMessage()
        assert logging.getLogger().level == logging.DEBUG
        task.cancel()

    heeding(work)
