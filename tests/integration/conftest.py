"""Fixtures of the integration tests; the stage itself is in tests/support/stage.py."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from tests.support.namespace import Namespace
from tests.support.spark import PYTHON
from tests.support.stage import Stage

from kubecontrolplane.cluster import Cluster
from kubecontrolplane.testing import namespace_in
from oci_emulator.testing import Emulator, EmulatorPool


@pytest.fixture
def stage(
    definitions: Cluster,
    namespace: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    *,
    cluster_stays: bool,
) -> Iterator[Stage]:
    """A stage with simulated runs, or with real ones where the test is marked `real_runs` or `real_spark`."""
    with _stage(definitions, namespace, tmp_path, request) as stage:
        try:
            yield stage
        finally:
            stage.end(clear=cluster_stays)


@pytest.fixture
def queued_stage(kueue: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A stage in a cluster with Kueue."""
    with (
        namespace_in(kueue, request.node.name, delete=False) as namespace,
        _stage(kueue, namespace, tmp_path, request) as stage,
    ):
        try:
            yield stage
        finally:
            stage.end(clear=False)


@contextmanager
def _stage(
    cluster: Cluster, namespace: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    with _emulator(tmp_path, request) as emulator:
        launch = request.getfixturevalue("launch")
        stage = Stage(cluster, namespace, emulator, tmp_path, launch)
        if request.node.get_closest_marker("no_operator") is None:
            stage.start_operator(**_settings(request.node))
        yield stage


def _emulator(tmp_path: Path, request: pytest.FixtureRequest) -> AbstractContextManager[Emulator]:
    if request.node.get_closest_marker("real_spark") is not None:
        return Emulator(tmp_path / "oci", mode="process", spark=PYTHON)
    real = request.node.get_closest_marker("real_runs") is not None
    pool: EmulatorPool = request.getfixturevalue("emulators")
    return pool.take(mode="process" if real else "simulated")


def _settings(test: pytest.Item) -> dict[str, object]:
    """Return what the nearest marker `settings` says; the test's own comes before its module's."""
    marker = test.get_closest_marker("settings")
    return dict(marker.kwargs) if marker is not None else {}


@pytest.fixture
def alone(definitions: Cluster, namespace: str) -> Namespace:
    """A namespace without an operator: what the API server alone does."""
    return Namespace(definitions, namespace)
