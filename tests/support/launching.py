"""A pytest plugin: how the operators of stages are started."""

import subprocess
from collections.abc import Iterator

import pytest
from tests.support.preloaded import Preloaded

from ocijobs.testing.process import Launch


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --real-processes."""
    parser.addoption(
        "--real-processes",
        action="store_true",
        help="Start each operator as `python -m ocijobs`, and fork none from a process that has imported it.",
    )


@pytest.fixture(scope="session")
def preloaded() -> Iterator[Preloaded]:
    """What forks processes; its server starts with the first."""
    server = Preloaded()
    yield server
    server.close()


@pytest.fixture
def launch(request: pytest.FixtureRequest) -> Launch:
    """What starts operators; the marker `own_process` and --real-processes make it `subprocess.Popen`."""
    real = request.config.getoption("--real-processes")
    if real or request.node.get_closest_marker("own_process") is not None:
        return subprocess.Popen
    server: Preloaded = request.getfixturevalue("preloaded")
    return server
