"""A pytest plugin: coverage is told which test runs, and how long each took is kept.

coverage run -m pytest -p mutants.recording --test-times FILE ...
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say where the times go."""
    parser.addoption("--test-times", help="a JSON file: seconds by the name of the test")


def pytest_configure(config: pytest.Config) -> None:
    """Register the recorder, if times are asked for."""
    if (path := config.getoption("test_times")) is not None:
        config.pluginmanager.register(_Recorder(Path(path)))


class _Recorder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Let lines that run now be lines of this test."""
        measured = coverage.Coverage.current()
        if measured is None:
            raise pytest.UsageError("--test-times needs `coverage run`")
        measured.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            measured.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up set-up, call and teardown."""
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration

    def pytest_sessionfinish(self) -> None:
        """Keep the times."""
        self._path.write_text(json.dumps(self._seconds), encoding="utf-8")
