"""The recorder of objects: `make record` runs the scenarios of this folder, which are no tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.component.recorded.recording import Recording
from tests.support.stage import Stage

from ocijobs.kube.client import KubeClient


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where records go."""
    parser.addoption(
        "--record-into", type=Path, metavar="DIR", help="Where the recorder writes objects."
    )


@pytest.fixture
def recording(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Recording]:
    """Keeps what the operator writes, and puts it into the folder at the end."""
    recording = Recording(stage)
    monkeypatch.setattr(KubeClient, "request", recording.observing(KubeClient.request))
    yield recording
    recording.write(request.config.getoption("--record-into"))
