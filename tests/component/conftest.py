"""Fixtures of the component tests: an operator within the test, on a clock that the test moves."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.component.inside import Inside
from tests.component.world import World
from tests.support.stage import Stage

from kubecontrolplane.cluster import Cluster
from oci_emulator.testing import EmulatorPool
from ocijobs.testing import ShiftedClock


@pytest.fixture
def oci() -> dict[str, object]:
    """How OCI is, as options of `Emulator.reset`; what is not said is the emulator's default."""
    return {}


@pytest.fixture
def stage(
    definitions: Cluster,
    namespace: str,
    tmp_path: Path,
    emulators: EmulatorPool,
    oci: dict[str, Any],
    *,
    cluster_stays: bool,
) -> Iterator[Stage]:
    """A namespace and a local OCI, without an operator."""
    with emulators.take(mode="simulated", **oci) as emulator:
        stage = Stage(definitions, namespace, emulator, tmp_path)
        try:
            yield stage
        finally:
            stage.end(clear=cluster_stays)


@pytest_asyncio.fixture
async def world(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """An operator that leads, and a local OCI, on one clock that the test moves."""
    monkeypatch.setenv("KUBECONFIG", str(stage.folder / "operator.kubeconfig"))
    world = World(stage)
    await world.start()
    try:
        yield world
    finally:
        await world.operator.stop()


@pytest_asyncio.fixture
async def inside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inside]:
    """An operator on a clock that runs, and that the test moves besides."""
    monkeypatch.setenv("KUBECONFIG", str(stage.folder / "operator.kubeconfig"))
    inside = Inside(stage, ShiftedClock())
    await inside.start()
    try:
        yield inside
    finally:
        await inside.stop()
