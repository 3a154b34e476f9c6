"""Fixtures of the component tests: an operator within the test, on a clock that the test moves."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.component.inside import Inside
from tests.component.world import World
from tests.support.stage import Stage

from kubecontrolplane.cluster import Cluster
from oci_emulator.testing import Emulator
from ocijobs.testing import ShiftedClock


@pytest_asyncio.fixture
async def inside(
    definitions: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Inside]:
    state = tmp_path / "oci"
    state.mkdir()
    with Emulator(state, mode="simulated") as emulator:
        stage = Stage(definitions, namespace, emulator, tmp_path)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "operator.kubeconfig"))
        inside = Inside(stage, ShiftedClock())
        await inside.start()
        try:
            yield inside
        finally:
            await inside.stop()
            stage.clear()


@pytest.fixture
def oci() -> dict[str, object]:
    """How OCI is, as arguments of the emulator; what is not said is the emulator's default."""
    return {}


@pytest_asyncio.fixture
async def world(
    definitions: Cluster,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    oci: dict[str, Any],
) -> AsyncIterator[World]:
    """An operator that leads, and a local OCI, on one clock that the test moves."""
    state = tmp_path / "oci"
    state.mkdir()
    with Emulator(state, mode="simulated", **oci) as emulator:
        stage = Stage(definitions, namespace, emulator, tmp_path)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "operator.kubeconfig"))
        world = World(stage)
        await world.start()
        try:
            yield world
        finally:
            await world.operator.stop()
            stage.clear()
